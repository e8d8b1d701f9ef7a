import { AiforgeError } from '../../errors.js';
import { anything, kind } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { isUint8Array } from '../../realms.js';
import {
  dtypeOfTypedArray,
  isTypedArray,
  lengthOf,
  typedArrayOver,
  bytesOf,
  type DType,
  type TypedArray,
} from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { fromTypedArray } from './typedArrays.js';

/** What is needed of Apache Arrow's `Vector`: a column in chunks. */
export interface ArrowColumn {
  readonly length: number;
  readonly data: readonly unknown[];
}

export interface ArrowOptions {
  /** What to put in the place of nulls. Default: a column with nulls is refused. */
  nullValue?: number | bigint | boolean;
}

// Apache Arrow's `Data`: the values begin at `offset` already, but bits do not.
interface Chunk {
  readonly type: {
    toString(): string;
    readonly typeId: number;
    readonly precision?: number;
    readonly listSize?: number;
  };
  readonly length: number;
  readonly offset: number;
  readonly values?: unknown;
  readonly nullBitmap?: unknown;
  readonly children?: readonly Chunk[];
}

// Numbers of Arrow's types, from its format.
const typeInt = 2;
const typeFloat = 3;
const typeBool = 6;
const typeFixedSizeList = 16;
const precisionHalf = 0;

interface Elements {
  dtype: DType;
  values: TypedArray;
  /** The sizes of one row. */
  sizes: number[];
  /** 1 where there is none; nothing where all are there. */
  nulls: Uint8Array | undefined;
}

function refuse(message: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `fromArrow: ${message}`);
}

function bits(bytes: unknown, offset: number, length: number): Uint8Array {
  if (!isUint8Array(bytes) || lengthOf(bytes) * 8 < offset + length) {
    throw refuse('a chunk of the column has fewer bits than it says.');
  }
  const found = new Uint8Array(length);
  for (let i = 0; i < length; ++i) found[i] = (bytes[(offset + i) >> 3]! >> ((offset + i) & 7)) & 1;
  return found;
}

function nullsOf({ nullBitmap, offset, length }: Chunk): Uint8Array | undefined {
  if (nullBitmap === undefined || nullBitmap === null || (isTypedArray(nullBitmap) && lengthOf(nullBitmap) === 0)) {
    return undefined;
  }
  const nulls = bits(nullBitmap, offset, length).map((bit) => 1 - bit);
  return nulls.includes(1) ? nulls : undefined;
}

/** The nulls among rows of `width` elements, each of which may be null itself. */
function spread(rows: Uint8Array | undefined, elements: Uint8Array | undefined, width: number): Uint8Array | undefined {
  if (rows === undefined) return elements;
  const all = elements === undefined ? new Uint8Array(rows.length * width) : Uint8Array.from(elements);
  rows.forEach((isNull, row) => isNull === 1 && all.fill(1, row * width, (row + 1) * width));
  return all;
}

function readList(chunk: Chunk): Elements {
  const { length } = chunk;
  const size = chunk.type.listSize;
  const child = chunk.children?.[0];
  if (size === undefined || child === undefined || child.length < length * size) {
    throw refuse('a list of the column has fewer items than its type says.');
  }
  const inner = readChunk(child);
  const sizes = [size, ...inner.sizes];
  const width = sizes.reduce((product, s) => product * s, 1);
  return {
    dtype: inner.dtype,
    values: inner.values.subarray(0, length * width),
    sizes,
    nulls: spread(nullsOf(chunk), inner.nulls?.subarray(0, length * width), width),
  };
}

function readNumbers(chunk: Chunk): Elements {
  const { values, type, length } = chunk;
  const own = isTypedArray(values) ? dtypeOfTypedArray(values) : undefined;
  if (own === undefined || lengthOf(values) < length)
    throw refuse('a chunk of the column has fewer values than it says.');
  const isHalf = type.typeId === typeFloat && type.precision === precisionHalf;
  return {
    dtype: isHalf ? 'float16' : own,
    values: (values as TypedArray).subarray(0, length),
    sizes: [],
    nulls: nullsOf(chunk),
  };
}

function readChunk(chunk: Chunk): Elements {
  const { typeId } = chunk.type;
  if (typeId === typeInt || typeId === typeFloat) return readNumbers(chunk);
  if (typeId === typeFixedSizeList) return readList(chunk);
  if (typeId === typeBool) {
    const values = bits(chunk.values, chunk.offset, chunk.length);
    return { dtype: 'bool', values, sizes: [], nulls: nullsOf(chunk) };
  }
  throw refuse(
    `a column of type ${String(chunk.type)} holds no numbers; expected integers, floats, booleans or lists of a fixed size of them.`,
  );
}

function concatenate(chunks: Elements[]): TypedArray {
  if (chunks.length === 1) return chunks[0]!.values;
  const total = chunks.reduce((sum, { values }) => sum + lengthOf(values), 0);
  const { dtype } = chunks[0]!;
  const whole = typedArrayOver(new ArrayBuffer(total * bytesOf(dtype)), dtype);
  let at = 0;
  for (const { values } of chunks) {
    whole.set(values as never, at);
    at += lengthOf(values);
  }
  return whole;
}

/** A mask of the nulls; undefined when there are none. */
function maskOf(chunks: Elements[]): Uint8Array | undefined {
  if (chunks.every(({ nulls }) => nulls === undefined)) return undefined;
  return Uint8Array.from(chunks.flatMap(({ nulls, values }) => Array.from(nulls ?? new Uint8Array(lengthOf(values)))));
}

function fill(made: Tensor, mask: Uint8Array, nullValue: ArrowOptions['nullValue']): void {
  const count = mask.reduce((sum, isNull) => sum + isNull, 0);
  if (nullValue === undefined) {
    made.dispose();
    throw refuse(
      `the column has ${count} ${count === 1 ? 'null' : 'nulls'}, which a tensor cannot hold; give { nullValue } to put in their place.`,
    );
  }
  const nulls = fromTypedArray(mask, { dtype: 'bool', shape: made.shape });
  try {
    made.maskedFill_(nulls, nullValue);
  } catch (error) {
    made.dispose();
    throw error;
  } finally {
    nulls.dispose();
  }
}

const fromArrowTakes = signature<ArrowOptions>(
  { column: anything },
  { nullValue: kind('a number or a boolean', (value) => ['number', 'bigint', 'boolean'].includes(typeof value)) },
);

/**
 * A tensor with a copy of a column of Apache Arrow, such as `table.getChild('price')`: integers, floats and booleans give
 * one dimension, lists of a fixed size one more. The column is read by what it has, so that any release of the package
 * `apache-arrow` will do.
 *
 * @throws AiforgeError INVALID_ARGUMENT for columns of other types, and for nulls when there is no `nullValue`.
 * @example
 * import { fromArrow } from 'aiforge';
 * import { vectorFromArray, Float32 } from 'apache-arrow';
 * fromArrow(vectorFromArray([1, 2.5], new Float32())).tolist(); // [1, 2.5]
 * fromArrow(vectorFromArray([1, null], new Float32()), { nullValue: NaN }).tolist(); // [1, NaN]
 */
export function fromArrow(column: ArrowColumn, options: ArrowOptions = {}): Tensor {
  fromArrowTakes.check('fromArrow', arguments);
  const { nullValue } = options;
  const data: unknown = (column as Partial<ArrowColumn> | null | undefined)?.data;
  if (!Array.isArray(data) || !data.every(isChunk)) {
    const shown = show(column);
    throw refuse(`expected a Vector of apache-arrow, got ${shown}.`);
  }
  if (data.length === 0) throw refuse('the column has no chunks, so that its type is unknown.');
  const chunks = data.map(readChunk);
  const { dtype, sizes } = chunks[0]!;
  const width = sizes.reduce((product, size) => product * size, 1);
  const values = concatenate(chunks);
  const rows = data.reduce<number>((sum, { length }) => sum + length, 0);
  if (lengthOf(values) !== rows * width) throw refuse('the chunks of the column are not of one type.');
  const made = fromTypedArray(values, { dtype, shape: [rows, ...sizes], copy: true });
  const mask = maskOf(chunks);
  if (mask !== undefined) fill(made, mask, nullValue);
  return made;
}

function isChunk(value: unknown): value is Chunk {
  if (typeof value !== 'object' || value === null) return false;
  const { type, length, offset } = value as Partial<Chunk>;
  const isCount = (count: unknown) => Number.isSafeInteger(count) && (count as number) >= 0;
  return typeof type?.typeId === 'number' && isCount(length) && isCount(offset);
}
