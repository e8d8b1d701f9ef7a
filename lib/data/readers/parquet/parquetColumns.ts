import type { ColumnType } from '../columnTypes.js';
import { fromBuffer, scope, type Tensor } from '../../../tensor/index.js';
import { unsigned32, unsigned64, type TimeUnit } from '../wholeNumbers.js';
import type { PhysicalColumn } from './chunkCursor.js';

/** A column of a file. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly unit: TimeUnit | undefined;
  readonly physical: PhysicalColumn;
  /** A tensor of the values' bytes. Not of texts. */
  readonly toTensor: (bytes: Uint8Array<ArrayBuffer>) => Tensor;
}

/** What hyparquet tells of a column. */
export interface SchemaNode {
  readonly element: {
    readonly name: string;
    readonly type?: string;
    readonly type_length?: number;
    readonly repetition_type?: string;
    readonly converted_type?: string;
    readonly logical_type?: {
      readonly type: string;
      readonly unit?: string;
      readonly bitWidth?: number;
      readonly isSigned?: boolean;
    };
  };
  readonly children: readonly SchemaNode[];
}

type Made = Pick<ParquetColumn, 'type' | 'toTensor'> & { width: number; unit?: TimeUnit };

// The bytes are nobody else's.
const view = (dtype: 'int32' | 'int64' | 'float32' | 'float64') => (bytes: Uint8Array) =>
  fromBuffer(bytes, { dtype, transfer: true });
const asBooleans = (bytes: Uint8Array): Tensor => fromBuffer(bytes, { dtype: 'bool', transfer: true });
const narrowed = (type: 'int8' | 'int16' | 'uint8') => (bytes: Uint8Array) =>
  scope(() => fromBuffer(bytes, { dtype: 'int32' }).to(type));
const halves = (bytes: Uint8Array): Tensor => scope(() => fromBuffer(bytes, { dtype: 'float16' }).to('float32'));

/** Nanoseconds since 1970 of those of a day and the number of that day, as Impala and Spark write. */
function fromInt96(bytes: Uint8Array<ArrayBuffer>): Tensor {
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = new BigInt64Array(bytes.length / 12);
  for (let i = 0; i < found.length; ++i) {
    const day = BigInt(from.getUint32(12 * i + 8, true)) - 2_440_588n;
    found[i] = day * 86_400_000_000_000n + from.getBigInt64(12 * i, true);
  }
  return fromBuffer(found, { dtype: 'int64' });
}

const units: Readonly<Record<string, TimeUnit>> = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' };

function wholeColumn({ element }: SchemaNode): Made | string {
  const { type, logical_type: logical, converted_type: converted = '' } = element;
  const width = type === 'INT32' ? 4 : 8;
  const plain: Made = { type: width === 4 ? 'int32' : 'int64', toTensor: view(width === 4 ? 'int32' : 'int64'), width };
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') return decimal;
  if (logical?.type === 'DATE' || converted === 'DATE') return { ...plain, unit: 'days' };
  const unit = units[logical?.unit ?? /^TIME(?:STAMP)?_(.*)$/.exec(converted)?.[1] ?? ''];
  if (unit !== undefined) return { ...plain, unit };
  const bits = logical?.bitWidth ?? Number(/INT_(\d+)$/.exec(converted)?.[1] ?? 8 * width);
  const isSigned = logical?.isSigned ?? !converted.startsWith('U');
  if (isSigned)
    return bits === 8 || bits === 16 ? { ...plain, type: `int${bits}`, toTensor: narrowed(`int${bits}`) } : plain;
  if (bits === 8) return { ...plain, type: 'uint8', toTensor: narrowed('uint8') };
  if (bits === 32) return { ...plain, type: 'int64', toTensor: unsigned32 };
  return bits === 64 ? { ...plain, toTensor: unsigned64 } : plain;
}

const decimal = 'has decimal numbers, which no dtype holds exactly; cast it to double when writing';
const texts: readonly unknown[] = [undefined, 'STRING', 'ENUM', 'JSON'];

function madeOf(node: SchemaNode): Made | string {
  const { type, logical_type: logical, converted_type: converted, type_length: length } = node.element;
  if (type === 'INT32' || type === 'INT64') return wholeColumn(node);
  if (type === 'BOOLEAN') return { type: 'bool', width: -1, toTensor: asBooleans };
  if (type === 'FLOAT') return { type: 'float32', width: 4, toTensor: view('float32') };
  if (type === 'DOUBLE') return { type: 'float64', width: 8, toTensor: view('float64') };
  if (type === 'INT96') return { type: 'int64', width: 12, unit: 'ns', toTensor: fromInt96 };
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') return decimal;
  if (logical?.type === 'FLOAT16' && length === 2) return { type: 'float32', width: 2, toTensor: halves };
  const kind = logical?.type ?? converted ?? type;
  if (type !== 'BYTE_ARRAY' || !texts.includes(logical?.type) || converted === 'BSON')
    return `has values of the kind ${kind}`;
  return { type: 'string', width: 0, toTensor: asBooleans };
}

/** How a column is read, or why it is not. */
export function parquetColumn(node: SchemaNode): ParquetColumn | string {
  const { name, repetition_type: repetition, logical_type: logical, converted_type: converted } = node.element;
  if (repetition === 'REPEATED' || node.children.length > 0) {
    const kind =
      logical?.type === 'LIST' || converted === 'LIST' || repetition === 'REPEATED' ? 'lists' : 'structs or maps';
    return `has ${kind}; flatten it when writing`;
  }
  const made = madeOf(node);
  if (typeof made === 'string') return made;
  const { width, unit, ...rest } = made;
  return { name, unit, physical: { width, isOptional: repetition === 'OPTIONAL' }, ...rest };
}
