import { stat } from 'node:fs/promises';

import { AiforgeError } from '../../errors.js';
import { size, string } from '../../kinds.js';
import { isOptions, signature } from '../../signature.js';
import { show } from '../../show.js';
import { fromBuffer, type DType, type Tensor } from '../../tensor/index.js';
import { bytesOf } from '../../tensor/dtype.js';
import { openTakes, StreamDataset, type Position, type SampleReader } from '../stream.js';
import { badFile } from './byteSource.js';
import { ExactBytes } from './exactBytes.js';
import { toMachineOrder } from './byteOrder.js';
import { rememberArguments } from '../workers/remembered.js';

const dtypes: Readonly<Record<number, DType>> = {
  0x08: 'uint8',
  0x09: 'int8',
  0x0b: 'int16',
  0x0c: 'int32',
  0x0d: 'float32',
  0x0e: 'float64',
};

// More than any data set has; LibTorch takes 64.
const MOST_DIMENSIONS = 16;

/** What the beginning of an IDX file says. */
interface IdxHeader {
  dtype: DType;
  shape: readonly number[];
  /** How many bytes the header has. */
  bytes: number;
}

/** Bytes of the elements of some dimensions. */
const volume = (dtype: DType, shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, bytesOf(dtype));

async function readHeader(file: string, bytes: ExactBytes): Promise<IdxHeader> {
  const magic = await bytes.take(4);
  const [dtype, dimensions] = [dtypes[magic[2]!], magic[3]!];
  if (magic[0] !== 0 || magic[1] !== 0 || dtype === undefined || dimensions === 0 || dimensions > MOST_DIMENSIONS) {
    throw badFile(
      file,
      `it is no IDX file: it begins with bytes ${[...magic].join(', ')}, expected 0, 0, a dtype and dimensions`,
    );
  }
  const lengths = await bytes.take(4 * dimensions);
  const shape = Array.from({ length: dimensions }, (_, i) => lengths.readUInt32BE(4 * i));
  return { dtype, shape, bytes: 4 + 4 * dimensions };
}

// What deflate makes of a byte at most.
const MOST_INFLATION = 1032;

/** Throws for a file that cannot have what its header says, before memory is taken for it. */
async function checkSize(file: string, { dtype, shape, bytes }: IdxHeader): Promise<void> {
  const { size: found } = await stat(file);
  const declared = bytes + volume(dtype, shape);
  const isCompressed = /\.gz$/i.test(file);
  if (isCompressed ? declared <= found * MOST_INFLATION : declared === found) return;
  const said = `its header says ${dtype}[${shape.join(', ')}], ${declared} bytes with it`;
  throw badFile(file, `${said}, and it has ${found}${isCompressed ? ' compressed' : ''} bytes. Make or copy it anew`);
}

const readTakes = signature({ file: string });
const readerTakes = signature({ file: string });

/**
 * The tensor in a file of the IDX format, as MNIST's files are; one whose name ends in .gz is decompressed. As torchvision's
 * `read_sn3_pascalvincent_tensor`.
 *
 * @throws AiforgeError FILE_NOT_FOUND, and FILE_INVALID for a file that is none, or not as long as its header says.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * writeFileSync('/tmp/aiforge-labels.idx', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1));
 * (await data.readIdx('/tmp/aiforge-labels.idx')).tolist(); // [7, 2, 1]
 */
export async function readIdx(file: string): Promise<Tensor> {
  readTakes.check('readIdx', arguments);
  const bytes = new ExactBytes(file, 0);
  try {
    const header = await readHeader(file, bytes);
    await checkSize(file, header);
    const elements = await bytes.take(volume(header.dtype, header.shape));
    await bytes.requireEnd();
    return tensorOf(elements, header.dtype, header.shape);
  } finally {
    bytes.close();
  }
}

const tensorOf = (bytes: Buffer, dtype: DType, shape: readonly number[]): Tensor =>
  fromBuffer(toMachineOrder(bytes, bytesOf(dtype), 'big'), { dtype, shape });

/**
 * The rows of a file of the IDX format one after another, such as the images or the labels of MNIST; one whose name ends in .gz is
 * decompressed.
 *
 * @throws AiforgeError from a reading FILE_NOT_FOUND, and FILE_INVALID for a file that is none, or not as long as its header says.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * writeFileSync('/tmp/aiforge-rows.idx', Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4));
 * for await (const row of new data.IdxReader('/tmp/aiforge-rows.idx')) row.tolist(); // [1, 2], then [3, 4]
 */
export class IdxReader extends StreamDataset<Tensor> {
  constructor(readonly file: string) {
    readerTakes.check(new.target.name, arguments);
    super();
    if (new.target === IdxReader) rememberArguments(this, 'IdxReader', arguments);
  }

  open(position?: Position): SampleReader<Tensor> {
    openTakes.check('open', arguments);
    const { row } = (isOptions(position) ? position : {}) as { row?: Position };
    if (position !== undefined && !size.accepts(row)) {
      throw new AiforgeError('INVALID_ARGUMENT', `open: ${show(position)} is no position in an IDX file.`);
    }
    return new RowReader(this.file, (row ?? 0) as number);
  }
}

class RowReader implements SampleReader<Tensor> {
  #row: number;
  #open: { header: IdxHeader; bytes: ExactBytes } | undefined;
  #isOver = false;

  constructor(
    readonly file: string,
    row: number,
  ) {
    this.#row = row;
  }

  async next(): Promise<IteratorResult<Tensor, undefined>> {
    if (this.#isOver) return { done: true, value: undefined };
    try {
      const { header, bytes } = (this.#open ??= await this.#begin());
      // It may be closed while the file is opened.
      if (this.#isOver) return await this.return();
      const [rows, ...shape] = header.shape as [number, ...number[]];
      if (this.#row >= rows) {
        await bytes.requireEnd();
        return await this.return();
      }
      const row = await bytes.take(volume(header.dtype, shape));
      this.#row++;
      return { done: false, value: tensorOf(row, header.dtype, shape) };
    } catch (error) {
      // It was closed while it read.
      if (this.#isOver) return { done: true, value: undefined };
      await this.return();
      throw error;
    }
  }

  position(): Position {
    return { row: this.#row };
  }

  return(): Promise<IteratorResult<Tensor, undefined>> {
    this.#isOver = true;
    this.#open?.bytes.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #begin(): Promise<{ header: IdxHeader; bytes: ExactBytes }> {
    const first = new ExactBytes(this.file, 0);
    try {
      const header = await readHeader(this.file, first);
      await checkSize(this.file, header);
      const { dtype, shape, bytes } = header;
      if (this.#row > shape[0]!) {
        throw badFile(this.file, `it has ${shape[0]} rows, less than the position to go on from, row ${this.#row}`);
      }
      return { header, bytes: new ExactBytes(this.file, bytes + this.#row * volume(dtype, shape.slice(1))) };
    } finally {
      first.close();
    }
  }
}
