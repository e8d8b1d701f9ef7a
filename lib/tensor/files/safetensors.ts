import { Buffer, isUtf8 } from 'node:buffer';
import { writeFileAtomic } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';
import { kind, optional, string } from '../../kinds.js';
import { isOptions, signature } from '../../signature.js';
import { chunksOf, fillFrom, sizeOf } from './bytes.js';
import { bytesOf, type DType } from '../dtype.js';
import { empty, fromFile } from '../generated/functions.js';
import { textProblem } from './headerText.js';
import { withFile, type OpenFile } from './openFile.js';
import { Tensor } from '../tensor.js';

const dtypeOf: Record<string, DType> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
  F8_E4M3FNUZ: 'float8_e4m3fnuz',
  F8_E5M2FNUZ: 'float8_e5m2fnuz',
  F8_E8M0: 'float8_e8m0fnu',
  F4: 'float4_e2m1fn_x2',
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
// Two numbers of four bits to an element of PyTorch, along the last dimension; the format counts the numbers.
const PAIRS = 'F4';
const codeOf = new Map(Object.entries(dtypeOf).map(([code, dtype]) => [dtype, code]));

const FORMAT = 'whole safetensors file';

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
 * @throws AiforgeError INVALID_ARGUMENT for a dtype or a layout that the format does not know, and for meta tensors.
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
  writeFileAtomic(file, safetensorsChunks(tensors, metadata));
}

/** @internal The bytes of a file of tensors; throws as `saveSafetensors`, before the first of them. */
export function safetensorsChunks(
  tensors: Record<string, Tensor>,
  metadata: Record<string, string>,
): Iterable<Uint8Array> {
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
  return chunks(header, tensors, inFile);
}

/** The format holds plain elements alone. */
function requirePlain(name: string, { layout, device }: Tensor): void {
  if (layout === 'strided' && device !== 'meta') return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    layout === 'strided'
      ? `saveSafetensors: '${name}' is on the device meta, without elements; give it some, or use save().`
      : `saveSafetensors: '${name}' has the layout ${layout}, which the format does not know; write its toDense().`,
  );
}

function entryOf(name: string, tensor: Tensor, start: number): Entry {
  requirePlain(name, tensor);
  const dtype = codeOf.get(tensor.dtype);
  if (dtype === undefined || name === '__metadata__') {
    const reason =
      dtype === undefined ? `has dtype ${tensor.dtype}, which the format does not know` : 'is no name for a tensor';
    throw new AiforgeError('INVALID_ARGUMENT', `saveSafetensors: '${name}' ${reason}.`);
  }
  const shape = tensor.shape;
  if (dtype === PAIRS) {
    if (shape.length === 0) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `saveSafetensors: '${name}' is a pair of numbers without a dimension.`,
      );
    }
    shape[shape.length - 1]! *= 2;
  }
  return { dtype, shape, data_offsets: [start, start + sizeOf(tensor)] };
}

function* chunks(header: object, tensors: Record<string, Tensor>, names: string[]): Generator<Uint8Array> {
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  yield padded;
  for (const name of names) yield* chunksOf(tensors[name]!);
}

const loadTakes = signature({ file: string });

/**
 * Reads every tensor of a safetensors file. Nothing in a file is ever run.
 *
 * @throws AiforgeError FILE_NOT_FOUND, or FILE_INVALID for a file that is truncated, malformed or of another format.
 */
export function loadSafetensors(file: string): SafetensorsFile {
  loadTakes.check('loadSafetensors', arguments);
  return withFile(file, FORMAT, (opened) => {
    const { entries, metadata, dataStart } = readHeader(opened);
    const tensors = entries.map(([name, entry]) => [name, readTensor(opened, name, entry, dataStart)]);
    return { tensors: Object.fromEntries(tensors) as Record<string, Tensor>, metadata };
  });
}

/**
 * @internal Every tensor of a safetensors file, over the file's own pages: what is not looked at is not read, and what is written into
 * them stays in this process. The file must not be cut while they are used. Throws as `loadSafetensors`.
 */
export function mapSafetensors(file: string): SafetensorsFile {
  return withFile(file, FORMAT, (opened) => {
    const { entries, metadata, dataStart } = readHeader(opened);
    const bytes = fromFile(file, { shared: false, size: opened.size, dtype: 'uint8' });
    const tensors = entries.map(([name, entry]) => [name, mapTensor(opened, bytes, name, entry, dataStart)]);
    return { tensors: Object.fromEntries(tensors) as Record<string, Tensor>, metadata };
  });
}

/** @internal The metadata of a safetensors file alone; throws as `loadSafetensors`. */
export function safetensorsMetadata(file: string): Record<string, string> {
  return withFile(file, FORMAT, (opened) => readHeader(opened).metadata);
}

function readHeader(file: OpenFile) {
  const { size } = file;
  if (size < 8) throw file.invalid(`it has ${size} bytes, fewer than a header`);
  const length = Number(file.bytes(0, 8).readBigUInt64LE());
  if (length > maxHeaderBytes || 8 + length > size) {
    throw file.invalid(`its header should have ${length} bytes, but the file has ${size}`);
  }
  const { __metadata__, ...rest } = headerOf(file, file.bytes(8, length));
  const metadata = __metadata__ ?? {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw file.invalid('its metadata are no texts');
  }
  const dataStart = 8 + length;
  for (const [name, entry] of Object.entries(rest)) checkEntry(file, name, entry, size - dataStart);
  const entries = Object.entries(rest as Record<string, Entry>);
  checkCoverage(file, entries, size - dataStart);
  return { entries, metadata: metadata as Record<string, string>, dataStart };
}

function headerOf(file: OpenFile, bytes: Buffer): Record<string, unknown> {
  if (!isUtf8(bytes)) throw file.invalid('its header is no UTF-8');
  const text = bytes.toString('utf8');
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw file.invalid('its header is no JSON');
  }
  if (!isRecord(header)) throw file.invalid('its header is no object');
  const problem = textProblem(text);
  if (problem !== null) throw file.invalid(problem);
  return header;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The format leaves no gap and no overlap: a file with either was damaged, or made to hide something. */
function checkCoverage(file: OpenFile, entries: [string, Entry][], dataBytes: number): void {
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
    if (start !== covered) throw file.invalid(`'${name}' begins at byte ${start} of the data, expected ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) throw file.invalid(`its tensors have ${covered} bytes of the data's ${dataBytes}`);
}

function checkEntry(file: OpenFile, name: string, value: unknown, dataBytes: number): void {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Entry>;
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const isWellFormed =
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isSize) &&
    Array.isArray(offsets) &&
    offsets.every(isSize);
  if (!isWellFormed || offsets.length !== 2 || offsets[0] > offsets[1])
    throw file.invalid(`its entry '${name}' is malformed`);
  if (!Object.hasOwn(dtypeOf, dtype)) throw file.invalid(`'${name}' has the unknown dtype '${dtype}'`);
  if (offsets[1] > dataBytes) {
    throw file.invalid(
      `'${name}' ends at byte ${offsets[1]} of the data, which has ${dataBytes}: the file is truncated`,
    );
  }
}

/** Throws FILE_INVALID where an entry has not the bytes that its shape and dtype need. */
function checkedForm(file: OpenFile, name: string, entry: Entry): { dtype: DType; shape: number[] } {
  const [start, end] = entry.data_offsets;
  const dtype = dtypeOf[entry.dtype]!;
  const shape = shapeOf(file, name, entry);
  const needed = shape.reduce((bytes, size) => bytes * size, bytesOf(dtype));
  if (needed === end - start) return { dtype, shape };
  throw file.invalid(`'${name}' has ${end - start} bytes, but its shape and dtype need ${needed}`);
}

function mapTensor(file: OpenFile, bytes: Tensor, name: string, entry: Entry, dataStart: number): Tensor {
  const { dtype, shape } = checkedForm(file, name, entry);
  const [start, end] = entry.data_offsets;
  const own = bytes.narrow(0, dataStart + start, end - start);
  const isAligned = (dataStart + start) % bytesOf(dtype) === 0;
  return (isAligned ? own : own.clone()).view(dtype).view(shape);
}

function readTensor(file: OpenFile, name: string, entry: Entry, dataStart: number): Tensor {
  const [start] = entry.data_offsets;
  const { dtype, shape } = checkedForm(file, name, entry);
  let tensor: Tensor;
  try {
    tensor = empty(shape, { dtype, device: 'cpu' });
  } catch (cause) {
    throw file.invalid(`'${name}': ${(cause as Error).message}`, cause);
  }
  fillFrom(tensor, (piece, at) => file.fill(piece, dataStart + start + at));
  return tensor;
}

function shapeOf(file: OpenFile, name: string, { dtype, shape }: Entry): number[] {
  if (dtype !== PAIRS) return shape;
  const last = shape.at(-1);
  if (last === undefined || last % 2 !== 0) throw file.invalid(`'${name}' has half a pair of four-bit numbers`);
  return [...shape.slice(0, -1), last / 2];
}
