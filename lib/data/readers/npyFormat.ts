import { bytesOf } from '../../tensor/dtype.js';
import { fromBuffer, type DType, type Tensor } from '../../tensor/index.js';
import { badFile } from './byteSource.js';
import { toMachineOrder } from './byteOrder.js';

/** Bytes at any place, as of a file or of memory. */
export interface Bytes {
  readonly size: number;
  bytes(position: number, length: number): Buffer;
}

/** What the beginning of a .npy file says. */
export interface NpyHeader {
  dtype: DType;
  order: 'little' | 'big';
  shape: readonly number[];
  /** Whether the first index is the one that moves from element to element. */
  isFortran: boolean;
  /** Where the elements begin. */
  dataAt: number;
}

const dtypes: Readonly<Record<string, DType>> = {
  b1: 'bool',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  c8: 'complex64',
  c16: 'complex128',
};

const MAGIC = '\x93NUMPY';
const MOST_HEADER_BYTES = 1 << 16;
const MOST_DIMENSIONS = 64;

export const volume = (lengths: readonly number[]): number => lengths.reduce((product, length) => product * length, 1);

/**
 * Reads what stands before the elements. Throws FILE_INVALID for what is no .npy file, has dtypes that tensors have not, or not as many
 * bytes as it says.
 */
export function npyHeader(file: Bytes, where: string): NpyHeader {
  const begin = file.bytes(0, Math.min(12, file.size));
  const version = begin[6]!;
  if (begin.length < 10 || begin.toString('latin1', 0, 6) !== MAGIC || version < 1 || version > 3) {
    throw badFile(
      where,
      `it is no .npy file of version 1, 2 or 3: it begins with ${JSON.stringify(begin.toString('latin1', 0, 8))}`,
    );
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const length = begin.length < 8 + lengthBytes ? Infinity : begin.readUIntLE(8, lengthBytes);
  const dataAt = 8 + lengthBytes + length;
  if (length > MOST_HEADER_BYTES || dataAt > file.size) {
    throw badFile(where, `its header should have ${length} bytes, in a file of ${file.size}`);
  }
  const text = file.bytes(8 + lengthBytes, length).toString(version === 3 ? 'utf8' : 'latin1');
  const header = { ...readDictionary(text, where), dataAt };
  const declared = dataAt + volume(header.shape) * bytesOf(header.dtype);
  if (declared === file.size) return header;
  throw badFile(where, `it has ${file.size} bytes, and by its header ${declared}. Make or copy it anew`);
}

const entry = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d\s,]*\))\s*(?:,|(?=\}))/y;

/** The header is a literal of Python, of which only the form that NumPy writes is taken. */
function readDictionary(text: string, where: string): Omit<NpyHeader, 'dataAt'> {
  if (/^\s*\{\s*'descr'\s*:\s*\[/.test(text)) {
    throw badFile(where, 'it holds records of several fields. Save each field as an array of its own');
  }
  const found = new Map<string, string>();
  entry.lastIndex = text.indexOf('{') + 1;
  for (let match = entry.exec(text); match !== null; match = entry.exec(text)) {
    found.set(match[1]!, match[2]!);
    const rest = text.slice(entry.lastIndex);
    if (/^\s*\}\s*$/.test(rest)) break;
  }
  const [descr, order, shape] = [found.get('descr'), found.get('fortran_order'), found.get('shape')];
  if (!descr?.startsWith("'") || !order?.endsWith('e') || !shape?.startsWith('(')) {
    throw badFile(where, `its header is none that NumPy writes: ${JSON.stringify(text.slice(0, 100))}`);
  }
  const lengths = shape.slice(1, -1).split(',').map((each) => each.trim()).filter((each) => each !== ''); // prettier-ignore
  const numbers = lengths.map(Number);
  if (
    numbers.length > MOST_DIMENSIONS ||
    !Number.isSafeInteger(volume(numbers)) ||
    !numbers.every(Number.isSafeInteger)
  ) {
    throw badFile(where, `its header says a shape that no tensor has, ${shape.slice(0, 100)}`);
  }
  return { ...dtypeOf(descr.slice(1, -1), where), shape: numbers, isFortran: order === 'True' };
}

function dtypeOf(descr: string, where: string): { dtype: DType; order: 'little' | 'big' } {
  const [, order, kind] = /^([<>|=]?)(\w+)$/.exec(descr) ?? [];
  if (kind?.startsWith('O')) {
    throw badFile(
      where,
      "it holds Python's objects, which only running code can read. Save it with a dtype of numbers",
    );
  }
  const dtype = kind !== undefined && Object.hasOwn(dtypes, kind) ? dtypes[kind] : undefined;
  if (dtype !== undefined) return { dtype, order: order === '>' ? 'big' : 'little' };
  const known = Object.keys(dtypes).join(', ');
  throw badFile(
    where,
    `it holds NumPy's dtype '${descr}', which no tensor has. Convert it by astype to one of ${known}`,
  );
}

/** The tensor of elements in a file's order; the memory may be taken over. */
export function tensorOfNpy(bytes: Buffer, { dtype, order, shape, isFortran }: Omit<NpyHeader, 'dataAt'>): Tensor {
  toMachineOrder(bytes, bytesOf(dtype) / (dtype.startsWith('complex') ? 2 : 1), order);
  const isOwn = bytes.byteOffset === 0 && bytes.length === bytes.buffer.byteLength && bytes.length > 0;
  // Of bytes other than 0 and 1 only a copy makes booleans.
  const transfer = isOwn && dtype !== 'bool';
  if (!isFortran) return fromBuffer(bytes, { dtype, shape, transfer });
  const reversed = fromBuffer(bytes, { dtype, shape: [...shape].reverse(), transfer });
  return reversed.permute(shape.map((_, i) => shape.length - 1 - i));
}
