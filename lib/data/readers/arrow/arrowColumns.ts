import { Buffer } from 'node:buffer';
import { fromBuffer, scope, type Tensor } from '../../../tensor/index.js';
import type { GivenColumn } from '../columnBatch.js';
import type { ColumnType } from '../columnTypes.js';
import { textOf } from '../parquet/pageValues.js';
import { narrowUnsigned, unsigned32, unsigned64, type TimeUnit } from '../wholeNumbers.js';

/** What is needed of apache-arrow's types. */
export interface ArrowType {
  readonly typeId: number;
  readonly bitWidth?: number;
  readonly isSigned?: boolean;
  readonly precision?: number;
  readonly unit?: number;
  readonly dictionary?: ArrowType;
  toString(): string;
}

/** What is needed of apache-arrow's `Data`: a column of a batch. */
export interface ArrowData {
  readonly type: ArrowType;
  readonly length: number;
  readonly offset: number;
  readonly values?: unknown;
  readonly valueOffsets?: unknown;
  readonly nullBitmap?: unknown;
  readonly dictionary?: { readonly data: readonly ArrowData[] };
}

/** A column of a file. */
export interface ArrowColumn {
  readonly type: ColumnType;
  readonly unit: TimeUnit | undefined;
  /** Rows of a batch. */
  read(data: ArrowData, start: number, count: number): GivenColumn;
}

const ids = {
  int: 2,
  float: 3,
  utf8: 5,
  bool: 6,
  date: 8,
  time: 9,
  timestamp: 10,
  duration: 18,
  largeUtf8: 20,
  dictionary: -1,
} as const;
const units: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns'];

type FromBytes = (bytes: Uint8Array) => Tensor;

const plain =
  (dtype: 'int8' | 'uint8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64'): FromBytes =>
  (bytes) =>
    fromBuffer(bytes, { dtype });
const halves: FromBytes = (bytes) => scope(() => fromBuffer(bytes, { dtype: 'float16' }).to('float32'));

/** How a column is read, or why it is not. */
export function arrowColumn(type: ArrowType): ArrowColumn | string {
  const { typeId, bitWidth = 0, isSigned = true, precision = 0, unit = 0 } = type;
  if (typeId === ids.int) return wholeColumn(bitWidth, isSigned);
  if (typeId === ids.float) {
    if (precision === 0) return numbers('float32', 2, halves);
    return precision === 1 ? numbers('float32', 4, plain('float32')) : numbers('float64', 8, plain('float64'));
  }
  if (typeId === ids.bool) return { type: 'bool', unit: undefined, read: readBits };
  if (typeId === ids.utf8 || typeId === ids.largeUtf8) return { type: 'string', unit: undefined, read: readTexts };
  if (typeId === ids.date)
    return unit === 0 ? numbers('int32', 4, plain('int32'), 'days') : numbers('int64', 8, plain('int64'), 'ms');
  if (typeId === ids.time && bitWidth === 32) return numbers('int32', 4, plain('int32'), units[unit]);
  if (typeId === ids.time || typeId === ids.timestamp || typeId === ids.duration)
    return numbers('int64', 8, plain('int64'), units[unit]);
  const dictionary = typeId === ids.dictionary ? type.dictionary?.typeId : undefined;
  if (dictionary === ids.utf8 || dictionary === ids.largeUtf8)
    return { type: 'string', unit: undefined, read: readIndexed };
  return `is of the type ${String(type)}, which is neither numbers nor texts`;
}

function wholeColumn(bits: number, isSigned: boolean): ArrowColumn {
  if (isSigned && bits === 8) return numbers('int8', 1, plain('int8'));
  if (isSigned && bits === 16) return numbers('int16', 2, plain('int16'));
  if (isSigned) return bits === 32 ? numbers('int32', 4, plain('int32')) : numbers('int64', 8, plain('int64'));
  if (bits === 8) return numbers('uint8', 1, plain('uint8'));
  if (bits === 16) return numbers('int32', 2, narrowUnsigned);
  return bits === 32 ? numbers('int64', 4, unsigned32) : numbers('int64', 8, unsigned64);
}

const numbers = (type: ColumnType, width: number, toTensor: FromBytes, unit?: TimeUnit): ArrowColumn => ({
  type,
  unit,
  read: (data, start, count) => ({
    values: toTensor(bytesIn(data.values, start * width, count * width)),
    nulls: nullsIn(data, start, count),
  }),
});

/** Bytes of a buffer. Throws a RangeError where it has fewer. */
function bytesIn(buffer: unknown, start: number, length: number): Uint8Array {
  if (!ArrayBuffer.isView(buffer) || buffer.byteLength < start + length)
    throw new RangeError('a column has fewer values than it says');
  return new Uint8Array(buffer.buffer, buffer.byteOffset + start, length);
}

function bitsIn(buffer: unknown, start: number, count: number): Uint8Array {
  const bytes = bytesIn(buffer, 0, Math.ceil((start + count) / 8));
  const bits = new Uint8Array(count);
  for (let i = 0, bit = start; i < count; ++i, ++bit) bits[i] = (bytes[bit >> 3]! >> (bit & 7)) & 1;
  return bits;
}

function nullsIn({ nullBitmap, offset }: ArrowData, start: number, count: number): Uint8Array | undefined {
  if (!ArrayBuffer.isView(nullBitmap) || nullBitmap.byteLength === 0) return undefined;
  const bits = bitsIn(nullBitmap, offset + start, count);
  for (let i = 0; i < count; ++i) bits[i]! ^= 1;
  return bits.includes(1) ? bits : undefined;
}

function readBits(data: ArrowData, start: number, count: number): GivenColumn {
  const values = fromBuffer(bitsIn(data.values, data.offset + start, count), { dtype: 'bool' });
  return { values, nulls: nullsIn(data, start, count) };
}

function readTexts(data: ArrowData, start: number, count: number): GivenColumn {
  const { valueOffsets: offsets } = data;
  const isLarge = offsets instanceof BigInt64Array;
  if (!isLarge && !(offsets instanceof Int32Array)) throw new RangeError('a column of texts has no offsets');
  if (offsets.length < start + count + 1) throw new RangeError('a column has fewer values than it says');
  const all = bytesIn(data.values, 0, (data.values as ArrayBufferView | undefined)?.byteLength ?? 0);
  const bytes = Buffer.from(all.buffer, all.byteOffset, all.length);
  const texts = new Array<string>(count);
  let from = Number(offsets[start]);
  for (let i = 0; i < count; ++i) {
    const to = Number(offsets[start + i + 1]);
    if (!(from >= 0 && from <= to && to <= bytes.length)) throw new RangeError('a text lies outside its column');
    texts[i] = textOf(bytes, from, to);
    from = to;
  }
  return { values: texts, nulls: nullsIn(data, start, count) };
}

/** The texts of dictionaries, each read once. */
const known = new WeakMap<object, string[]>();

function textsOf(dictionary: NonNullable<ArrowData['dictionary']>): string[] {
  let texts = known.get(dictionary);
  if (texts === undefined) {
    texts = dictionary.data.flatMap((data) => readTexts(data, 0, data.length).values as string[]);
    known.set(dictionary, texts);
  }
  return texts;
}

function readIndexed(data: ArrowData, start: number, count: number): GivenColumn {
  const nulls = nullsIn(data, start, count);
  const texts = data.dictionary === undefined ? [] : textsOf(data.dictionary);
  const indices = data.values as ArrayLike<number | bigint> | undefined;
  if (!ArrayBuffer.isView(indices) || indices.length < start + count)
    throw new RangeError('a column has fewer values than it says');
  const values = new Array<string>(count);
  for (let i = 0; i < count; ++i) {
    const text = nulls?.[i] === 1 ? '' : texts[Number(indices[start + i])];
    if (text === undefined)
      throw new RangeError(`the index ${String(indices[start + i])} is outside a dictionary of ${texts.length} values`);
    values[i] = text;
  }
  return { values, nulls };
}
