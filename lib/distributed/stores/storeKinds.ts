import { Buffer } from 'node:buffer';
import { kind } from '../../kinds.js';
import { isUint8Array } from '../../realms.js';
import { requireMemory } from '../../tensor/conversion/typedArrays.js';

const half = /\p{Surrogate}/u;

/** Half a surrogate pair has no UTF-8: all of them would be one key. */
const isText = (value: unknown): boolean => typeof value === 'string' && !half.test(value);

export const keyKind = kind<string>('a string without lone surrogates', isText);

export const valueKind = kind<Uint8Array | string>(
  'a Uint8Array or a string without lone surrogates',
  (value) => isText(value) || isUint8Array(value),
);

/** The bytes of a value. Throws `INVALID_ARGUMENT` where its memory was transferred elsewhere. */
export function bytesOf(name: string, value: Uint8Array | string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  requireMemory(value, name);
  return value;
}
