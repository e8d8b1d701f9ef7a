import { AiforgeError } from '../../errors.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import type { Position } from '../stream.js';

/** The fields of a position. Throws STATE_DICT_MISMATCH for one that another kind of stream gave. */
export function fieldsOf<const Key extends string>(
  who: string,
  position: Position,
  ...keys: readonly Key[]
): Record<Key, Position> {
  if (isPlainObject(position) && keys.every((key) => key in position)) return position as Record<Key, Position>;
  throw mismatch(who, position);
}

export function countOf(who: string, position: Position, most = Infinity): number {
  if (Number.isSafeInteger(position) && (position as number) >= 0 && (position as number) <= most)
    return position as number;
  throw mismatch(who, position);
}

export function listFor(who: string, position: Position, length: number): readonly Position[] {
  if (Array.isArray(position) && position.length === length) return position as readonly Position[];
  throw mismatch(who, position);
}

const mismatch = (who: string, position: Position): AiforgeError =>
  new AiforgeError('STATE_DICT_MISMATCH', `${who}: ${show(position)} is no position of this stream.`);
