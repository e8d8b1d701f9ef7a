import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

import { writeFileAtomic } from '../atomicFile.js';
import { AiforgeError } from '../errors.js';
import { kind, optional, string } from '../kinds.js';
import { isOptions, signature } from '../signature.js';
import { native } from '../native.js';
import { enterContext } from './context.js';
import type { DType } from './dtype.js';
import { handleOf, wrapHandle, Tensor } from './tensor.js';

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

const tensorsKind = kind<Record<string, Tensor>>(
  'an object of Tensors',
  (value) => isOptions(value) && Object.values(value).every(Tensor.isTensor),
);
const textsKind = kind<Record<string, string>>(
  'an object of strings',
  (value) => isOptions(value) && Object.values(value).every((text) => typeof text === 'string'),
);
const saveTakes = signature({ file: string, tensors: tensorsKind, metadata: optional(textsKind) });

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
  saveTakes.check('saveSafetensors', arguments);
  const names = Object.keys(tensors);
  // Wide elements first: so every tensor begins at a multiple of its element's size, as views of the file need.
  const inFile = names.toSorted((a, b) => tensors[b]!.elementSize() - tensors[a]!.elementSize());
  const entries = new Map<string, Entry>();
  let start = 0;
  for (const name of inFile) {
    const entry = entryOf(name, tensors[name]!, start);
    entries.set(name, entry);
    start = entry.data_offsets[1];
  }
  // From entries, since assigning to a name such as __proto__ would lose it.
  const header = Object.fromEntries<unknown>([
    ['__metadata__', metadata],
    ...names.map((name): [string, Entry] => [name, entries.get(name)!]),
  ]);
  writeFileAtomic(file, chunks(header, tensors, inFile));
}

function entryOf(name: string, tensor: Tensor, start: number): Entry {
  const dtype = codeOf.get(tensor.dtype);
  if (dtype === undefined || name === '__metadata__') {
    const reason =
      dtype === undefined ? `has dtype ${tensor.dtype}, which the format does not know` : 'is no name for a tensor';
    throw new AiforgeError('INVALID_ARGUMENT', `saveSafetensors: '${name}' ${reason}.`);
  }
  return { dtype, shape: tensor.shape, data_offsets: [start, start + tensor.numel() * tensor.elementSize()] };
}

function* chunks(header: object, tensors: Record<string, Tensor>, names: string[]): Generator<Uint8Array> {
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  yield padded;
  for (const name of names) yield new Uint8Array(native.copyBytes(handleOf(tensors[name]!)));
}

const loadTakes = signature({ file: string });

/**
 * Reads every tensor of a safetensors file. Nothing in a file is ever run.
 *
 * @throws AiforgeError FILE_NOT_FOUND, or FILE_INVALID for a file that is truncated or of another format.
 */
export function loadSafetensors(file: string): SafetensorsFile {
  loadTakes.check('loadSafetensors', arguments);
  return withFile(file, (descriptor) => {
    const { entries, metadata, dataStart } = readHeader(file, descriptor);
    const tensors = entries.map(([name, entry]) => [name, readTensor(file, descriptor, name, entry, dataStart)]);
    return { tensors: Object.fromEntries(tensors) as Record<string, Tensor>, metadata };
  });
}

/** @internal The metadata of a safetensors file alone; throws as `loadSafetensors`. */
export function safetensorsMetadata(file: string): Record<string, string> {
  return withFile(file, (descriptor) => readHeader(file, descriptor).metadata);
}

function withFile<T>(file: string, work: (descriptor: number) => T): T {
  if (!(statSync(file, { throwIfNoEntry: false })?.isFile() ?? false)) {
    throw new AiforgeError('FILE_NOT_FOUND', `There is no file ${file}. Check the path.`);
  }
  const descriptor = openSync(file, 'r');
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function invalid(file: string, reason: string): AiforgeError {
  return new AiforgeError(
    'FILE_INVALID',
    `${file} is not a whole safetensors file: ${reason}. Use another checkpoint.`,
  );
}

function read(file: string, descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length;) {
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
  if (!isRecord(header)) throw invalid(file, 'its header is no object');
  const { __metadata__: metadata = {}, ...rest } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw invalid(file, 'its metadata are no texts');
  }
  const dataStart = 8 + length;
  for (const [name, entry] of Object.entries(rest)) checkEntry(file, name, entry, size - dataStart);
  const entries = Object.entries(rest as Record<string, Entry>);
  checkCoverage(file, entries, size - dataStart);
  return { entries, metadata: metadata as Record<string, string>, dataStart };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The format leaves no gap and no overlap: a file with either was damaged, or made to hide something. */
function checkCoverage(file: string, entries: [string, Entry][], dataBytes: number): void {
  const ranges = entries.map(
    ([
      name,
      {
        data_offsets: [start, end],
      },
    ]) => ({ name, start, end }),
  );
  ranges.sort((a, b) => a.start - b.start || a.end - b.end);
  let covered = 0;
  for (const { name, start, end } of ranges) {
    if (start !== covered) throw invalid(file, `'${name}' begins at byte ${start} of the data, expected ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) throw invalid(file, `its tensors have ${covered} bytes of the data's ${dataBytes}`);
}

function checkEntry(file: string, name: string, value: unknown, dataBytes: number): void {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Entry>;
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const isWellFormed =
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isSize) &&
    Array.isArray(offsets) &&
    offsets.every(isSize);
  if (!isWellFormed || offsets.length !== 2 || offsets[0] > offsets[1])
    throw invalid(file, `its entry '${name}' is malformed`);
  if (!Object.hasOwn(dtypeOf, dtype)) throw invalid(file, `'${name}' has the unknown dtype '${dtype}'`);
  if (offsets[1] > dataBytes) {
    throw invalid(
      file,
      `'${name}' ends at byte ${offsets[1]} of the data, which has ${dataBytes}: the file is truncated`,
    );
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
