import { AiforgeError } from '../../errors.js';
import { size } from '../../kinds.js';
import { isOptions } from '../../signature.js';
import { show } from '../../show.js';
import type { Position } from '../stream.js';

/** Where something begins in a file: the byte, and the line as an editor counts. */
export interface FilePlace {
  byte: number;
  line: number;
}

/** The file that is being read, and where in it; its beginning where that is not known. */
export interface FilesPosition {
  file: number;
  place: FilePlace | undefined;
}

/** What a position says, of several files that are read one after another. */
export function positionIn(files: readonly string[], position: Position | undefined): FilesPosition {
  if (position === undefined) return { file: 0, place: undefined };
  const { file, byte, line, ...others } = (isOptions(position) ? position : {}) as Record<string, Position>;
  // What another kind of reader says of a place means nothing here.
  if (size.accepts(file) && (file as number) <= files.length && Object.keys(others).length === 0) {
    if (byte === undefined && line === undefined) return { file: file as number, place: undefined };
    if (size.accepts(byte) && size.accepts(line)) {
      return { file: file as number, place: { byte: byte as number, line: line as number } };
    }
  }
  throw new AiforgeError('INVALID_ARGUMENT', `open: ${show(position)} is no position in ${files.length} files.`);
}

export const positionOf = ({ file, place }: FilesPosition): Position =>
  place === undefined ? { file } : { file, byte: place.byte, line: place.line };
