import { Buffer } from 'node:buffer';

import { count, string } from '../../kinds.js';
import { AiforgeError } from '../../errors.js';
import { nothing, signature } from '../../signature.js';
import { bytesOf } from '../../tensor/dtype.js';
import { OpenFile, withFile } from '../../tensor/files/openFile.js';
import { ZipReader } from '../../tensor/files/zipReader.js';
import type { DType, Tensor } from '../../tensor/index.js';
import { checkIndex, type Dataset, getTakes } from '../dataset.js';
import { badFile } from './byteSource.js';
import { npyHeader, tensorOfNpy, volume, type NpyHeader } from './npyFormat.js';
import { rememberArguments } from '../workers/remembered.js';

const readTakes = signature({ file: string });

/**
 * The tensor in a .npy file of NumPy, of versions 1 to 3, in either order of bytes and of dimensions. As `torch.from_numpy(np.load(file))`.
 *
 * @throws AiforgeError FILE_NOT_FOUND; FILE_INVALID for a file that is none, is not as long as its header says, or has a dtype that tensors
 * have not. Python's objects are among these: to read them is to run code.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }".padEnd(117) + '\n';
 * writeFileSync('/tmp/aiforge.npy', Buffer.from(`\x93NUMPY\x01\0\x76\0${header}\x07\x02\x01`, 'latin1'));
 * data.readNpy('/tmp/aiforge.npy').tolist(); // [7, 2, 1]
 */
export function readNpy(file: string): Tensor {
  readTakes.check('readNpy', arguments);
  return withFile(file, 'whole .npy file', (open) => {
    const header = npyHeader(open, file);
    return tensorOfNpy(open.bytes(header.dataAt, open.size - header.dataAt), header);
  });
}

export interface NpzOptions {
  /** The most bytes that all arrays together may have, which a small file can make large. Default: 4 GiB. */
  maxBytes?: number;
}

const npzTakes = signature<NpzOptions>({ file: string }, { maxBytes: count });

/**
 * The tensors in a .npz file of NumPy, compressed or not, by their names. As `np.load(file)`, of all arrays at once.
 *
 * @throws AiforgeError as `readNpy`; FILE_INVALID also for arrays that have more bytes than `maxBytes`, before any is read.
 * @example
 * import { data } from 'aiforge';
 * const { images, labels } = data.readNpz('../../test/fixtures/arrays.npz');
 * images.shape; // [2, 3]
 */
export function readNpz(file: string, options: NpzOptions = {}): Record<string, Tensor> {
  npzTakes.check('readNpz', arguments);
  const { maxBytes = 2 ** 32 } = options;
  return withFile(file, 'whole .npz file', (open) => {
    const zip = new ZipReader(open);
    const names = [...zip.names()];
    const total = names.reduce((sum, name) => sum + zip.inflatedSizeOf(name), 0);
    if (total > maxBytes) throw badFile(file, `its arrays have ${total} bytes, more than the ${maxBytes} of maxBytes`);
    return Object.fromEntries(names.map((name) => [name.replace(/\.npy$/, ''), tensorIn(zip, name, file)]));
  });
}

function tensorIn(zip: ZipReader, name: string, file: string): Tensor {
  const where = `${file}, '${name}'`;
  if (!name.endsWith('.npy')) throw badFile(where, 'it is no array. Make the file by np.savez');
  const content = zip.inflate(name);
  const header = npyHeader({ size: content.length, bytes: (at, length) => content.subarray(at, at + length) }, where);
  return tensorOfNpy(content.subarray(header.dataAt), header);
}

const readerTakes = signature({ file: string });

/**
 * The rows of a .npy file, each read when it is asked for: the file may be larger than memory. In Fortran's order a row is all over the file,
 * and takes a reading an element. As `np.load(file, mmap_mode='r')`.
 *
 * @throws AiforgeError as `readNpy`, and INVALID_ARGUMENT from `get` after `close()`.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }".padEnd(117) + '\n';
 * writeFileSync('/tmp/aiforge-rows.npy', Buffer.from(`\x93NUMPY\x01\0\x76\0${header}\x01\x02\x03\x04`, 'latin1'));
 * const rows = new data.NpyReader('/tmp/aiforge-rows.npy');
 * rows.get(1).tolist(); // [3, 4]
 * rows.close();
 */
export class NpyReader implements Dataset<Tensor> {
  readonly dtype: DType;
  /** The shape of the whole. */
  readonly shape: readonly number[];
  readonly #header: NpyHeader;
  #file: OpenFile | undefined;

  constructor(readonly file: string) {
    readerTakes.check(new.target.name, arguments);
    this.#file = new OpenFile(file, 'whole .npy file');
    try {
      this.#header = npyHeader(this.#file, file);
      [this.dtype, this.shape] = [this.#header.dtype, this.#header.shape];
      if (this.shape.length === 0) throw badFile(file, 'it holds a single number, expected rows. Read it by readNpy');
    } catch (error) {
      this.close();
      throw error;
    }
    if (new.target === NpyReader) rememberArguments(this, 'NpyReader', arguments);
  }

  get length(): number {
    return this.shape[0]!;
  }

  get(index: number): Tensor {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('NpyReader', index, this.length);
    if (this.#file === undefined) throw new AiforgeError('INVALID_ARGUMENT', `NpyReader: ${this.file} was closed.`);
    const shape = this.shape.slice(1);
    return tensorOfNpy(this.#bytesOf(this.#file, index, volume(shape)), { ...this.#header, shape });
  }

  /** Lets go of the file; no row can be read afterwards. */
  close(): void {
    nothing.check('close', arguments);
    this.#file?.close();
    this.#file = undefined;
  }

  #bytesOf(file: OpenFile, index: number, elements: number): Buffer {
    const { dataAt, isFortran } = this.#header;
    const each = bytesOf(this.dtype);
    if (!isFortran) return file.bytes(dataAt + index * elements * each, elements * each);
    const row = Buffer.allocUnsafeSlow(elements * each);
    for (let i = 0; i < elements; ++i) {
      file.fill(row.subarray(i * each, (i + 1) * each), dataAt + (index + i * this.length) * each);
    }
    return row;
  }
}
