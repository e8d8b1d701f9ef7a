import { Buffer } from 'node:buffer';
import type { RawRows } from './chunkCursor.js';
import { textOf } from './pageValues.js';
import type { Decompress } from './codecs.js';
import type { ParquetColumn } from './parquetColumns.js';
import type { Cursor, Hyparquet, Metadata } from './parquetFile.js';

/** A column of a row group is decoded as a whole here: one that says to have more rows is not. */
const mostRows = 2 ** 26;

const asItIs = (value: unknown): unknown => value;
const asText = (bytes: Uint8Array): string =>
  textOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);

/** What leaves values as the file has them, so that times stay whole numbers. */
const parsers = {
  timestampFromMilliseconds: asItIs,
  timestampFromMicroseconds: asItIs,
  timestampFromNanoseconds: asItIs,
  dateFromDays: asItIs,
  stringFromBytes: asText,
  jsonFromBytes: asText,
};

/** The rows of a column whose encodings hyparquet decodes (delta encodings, byte stream split). */
export async function decodedRows(
  library: Hyparquet,
  file: { byteLength: number; slice(start: number, end?: number): Promise<ArrayBuffer> },
  metadata: Metadata,
  group: number,
  column: ParquetColumn,
  compressors: Record<string, Decompress>,
): Promise<Cursor> {
  const before = metadata.row_groups.slice(0, group).reduce((rows, each) => rows + Number(each.num_rows), 0);
  const rows = Number(metadata.row_groups[group]!.num_rows);
  if (rows > mostRows) throw new RangeError(`it has ${rows} rows in one row group, more than ${mostRows}`);
  const values: unknown[] = [];
  const onChunk = ({ columnData }: { columnData: ArrayLike<unknown> }): void => {
    for (const value of Array.from(columnData)) values.push(value);
  };
  const range = { rowStart: before, rowEnd: before + rows };
  await library.parquetRead({
    file,
    metadata,
    columns: [column.name],
    ...range,
    onChunk,
    compressors,
    parsers,
    geoparquet: false,
  });
  if (values.length < rows) throw new RangeError('its pages have fewer rows than its row group');
  let at = 0;
  return { read: (count) => rawRows(column, values.slice(at, (at += count))) };
}

function rawRows(column: ParquetColumn, values: readonly unknown[]): RawRows {
  const { width } = column.physical;
  const isNull = (value: unknown): boolean => value === null || value === undefined;
  const nulls = values.some(isNull) ? Uint8Array.from(values, (value) => (isNull(value) ? 1 : 0)) : undefined;
  if (width === 0) {
    return {
      texts: values.map((value) => (value instanceof Uint8Array ? asText(value) : ((value as string | null) ?? ''))),
      nulls,
    };
  }
  const bytes = Buffer.from(new ArrayBuffer(values.length * Math.abs(width)));
  const put = putterOf(column, bytes);
  for (const [i, value] of values.entries()) if (!isNull(value)) put(value, i);
  return { bytes, nulls };
}

function putterOf({ type, physical: { width } }: ParquetColumn, bytes: Buffer): (value: unknown, i: number) => void {
  if (width === -1) return (value, i) => void (bytes[i] = Number(value));
  if (width === 4 && type === 'float32') return (value, i) => void bytes.writeFloatLE(value as number, 4 * i);
  if (width === 4) return (value, i) => void bytes.writeInt32LE(Number(value) | 0, 4 * i);
  if (width === 8 && type === 'float64') return (value, i) => void bytes.writeDoubleLE(value as number, 8 * i);
  if (width === 8) return (value, i) => void bytes.writeBigInt64LE(BigInt.asIntN(64, value as bigint), 8 * i);
  throw new RangeError(`its values of ${width} bytes have an encoding that is not read`);
}
