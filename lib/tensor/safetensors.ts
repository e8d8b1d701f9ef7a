import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

import { writeFileAtomic } from '../atomicFile.js';
import { AiforgeError } from '../errors.js';
import { native } from '../native.js';
import { enterContext } from './context.js';
import type { DType } from './dtype.js';
import { handleOf, wrapHandle, type Tensor } from './tensor.js';

const dtypeOf: Record<string, DType> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
  C64: 'complex64',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
};
const codeOf = new Map(Object.entries(dtypeOf).map(([code, dtype]) => [dtype, code]));

/** The format allows no larger header. */
const maxHeaderBytes = 100_000_000;

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

export interface SafetensorsFile {
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
}

/**
 * Writes tensors to a safetensors file, which Python's `safetensors` reads; whole or not at all.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a dtype that the format does not know.
 * @example
 * import { loadSafetensors, saveSafetensors, ones } from 'aiforge';
 * saveSafetensors('/tmp/ones.safetensors', { weight: ones([2, 2]) }, { note: 'an example' });
 * loadSafetensors('/tmp/ones.safetensors').metadata.note; // 'an example'
 */
export function saveSafetensors(
  file: string,
  tensors: Record<string, Tensor>,
  metadata: Record<string, string> = {},
): void {
  const header: Record<string, Entry | Record<string, string>> = { __metadata__: metadata };
  const names = Object.keys(tensors);
  let offset = 0;
  for (const name of names) {
    const tensor = tensors[name]!;
    const dtype = codeOf.get(tensor.dtype);
    if (dtype === undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `saveSafetensors: '${name}' has dtype ${tensor.dtype}, which the format does not know.`);
    }
    const end = offset + tensor.numel() * tensor.elementSize();
    header[name] = { dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  writeFileAtomic(file, chunks(header, names, tensors));
}

function* chunks(header: object, names: string[], tensors: Record<string, Tensor>): Generator<Uint8Array> {
  const text = Buffer.from(JSON.stringify(header));
  // Tensors begin at a multiple of 8, so that they can be mapped.
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  yield padded;
  for (const name of names) yield new Uint8Array(native.copyBytes(handleOf(tensors[name]!)));
}

/**
 * Reads every tensor of a safetensors file. Nothing in a file is ever run.
 *
 * @throws AiforgeError FILE_NOT_FOUND, or FILE_INVALID for a file that is truncated or of another format.
 */
export function loadSafetensors(file: string): SafetensorsFile {
  if (!existsSync(file)) {
    throw new AiforgeError('FILE_NOT_FOUND', `There is no file ${file}. Check the path.`);
  }
  const descriptor = openSync(file, 'r');
  try {
    const { entries, metadata, dataStart } = readHeader(file, descriptor);
    const tensors: Record<string, Tensor> = {};
    for (const [name, entry] of entries) tensors[name] = readTensor(file, descriptor, name, entry, dataStart);
    return { tensors, metadata };
  } finally {
    closeSync(descriptor);
  }
}

function invalid(file: string, reason: string): AiforgeError {
  return new AiforgeError('FILE_INVALID', `${file} is not a whole safetensors file: ${reason}. Use another checkpoint.`);
}

function read(file: string, descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length; ) {
    const count = readSync(descriptor, buffer, done, length - done, position + done);
    if (count === 0) throw invalid(file, `it ends at byte ${position + done}, expected ${position + length}`);
    done += count;
  }
  return buffer;
}

function readHeader(file: string, descriptor: number) {
  const { size } = fstatSync(descriptor);
  if (size < 8) throw invalid(file, `it has ${size} bytes, fewer than a header`);
  const length = Number(read(file, descriptor, 0, 8).readBigUInt64LE());
  if (length > maxHeaderBytes || 8 + length > size) {
    throw invalid(file, `its header should have ${length} bytes, but the file has ${size}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(read(file, descriptor, 8, length).toString('utf8'));
  } catch {
    throw invalid(file, 'its header is no JSON');
  }
  if (typeof header !== 'object' || header === null) throw invalid(file, 'its header is no object');
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, unknown>;
  const dataStart = 8 + length;
  for (const [name, entry] of Object.entries(entries)) checkEntry(file, name, entry, size - dataStart);
  return { entries: Object.entries(entries as Record<string, Entry>), metadata: metadata as Record<string, string>, dataStart };
}

function checkEntry(file: string, name: string, value: unknown, dataBytes: number): void {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Entry>;
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const isWellFormed =
    typeof dtype === 'string' && Array.isArray(shape) && shape.every(isSize) && Array.isArray(offsets) && offsets.every(isSize);
  if (!isWellFormed || offsets.length !== 2 || offsets[0] > offsets[1]) throw invalid(file, `its entry '${name}' is malformed`);
  if (!(dtype in dtypeOf)) throw invalid(file, `'${name}' has the unknown dtype '${dtype}'`);
  if (offsets[1] > dataBytes) {
    throw invalid(file, `'${name}' ends at byte ${offsets[1]} of the data, which has ${dataBytes}: the file is truncated`);
  }
}

function readTensor(file: string, descriptor: number, name: string, entry: Entry, dataStart: number): Tensor {
  const [start, end] = entry.data_offsets;
  const bytes = read(file, descriptor, dataStart + start, end - start);
  try {
    enterContext();
    return wrapHandle(native.fromTypedArray(bytes, dtypeOf[entry.dtype]!, entry.shape));
  } catch (cause) {
    throw new AiforgeError('FILE_INVALID', `${file}: '${name}': ${(cause as Error).message}`, { cause });
  }
}
