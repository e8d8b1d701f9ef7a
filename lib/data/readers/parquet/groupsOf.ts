import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import { AiforgeError } from '../../../errors.js';
import { unreadable } from '../localFile.js';
import { ThriftReader } from './thrift.js';

/** How many row groups a file has, without a package and without waiting. Throws FILE_INVALID for a file that is damaged. */
export function groupsOf(path: string): number {
  let bytes: Buffer;
  try {
    bytes = readMetadata(path);
  } catch (cause) {
    throw unreadable('ParquetReader', path, cause);
  }
  try {
    // FileMetaData: version, schema, num_rows, row_groups.
    const groups = new ThriftReader(bytes).struct()[4];
    if (Array.isArray(groups)) return groups.length;
    throw new RangeError('it has no row groups');
  } catch (cause) {
    const problem = `its metadata is damaged: ${(cause as Error).message}`;
    throw new AiforgeError('FILE_INVALID', `ParquetReader: '${path}': ${problem}.`, { cause });
  }
}

function readMetadata(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const foot = Buffer.alloc(8);
    if (size < 12 || readSync(file, foot, 0, 8, size - 8) < 8) return Buffer.alloc(0);
    const length = foot.readUInt32LE(0);
    if (length > size - 12 || foot.toString('latin1', 4) !== 'PAR1') return Buffer.alloc(0);
    const bytes = Buffer.alloc(length);
    readSync(file, bytes, 0, length, size - 8 - length);
    return bytes;
  } finally {
    closeSync(file);
  }
}
