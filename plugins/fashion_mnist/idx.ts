import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { AiforgeError, tensor, type Tensor } from 'aiforge';

/** The magic number's third byte says what the elements are: 8 for unsigned bytes, the only kind that is read here. */
const unsignedBytes = 8;

/** Reads an IDX file of unsigned bytes in a folder, `name` or `name.gz`, as a uint8 tensor of the sizes that it tells. */
export async function readIdx(folder: string, name: string): Promise<Tensor> {
  const plain = join(resolve(folder), name);
  const file = [plain, `${plain}.gz`].find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `There is neither ${name} nor ${name}.gz in the dataPath '${folder}'. On Debian: apt-get install dataset-fashion-mnist, ` +
        'and dataPath: /usr/share/datasets/fashion-mnist; elsewhere: the four files of https://github.com/zalandoresearch/fashion-mnist.',
    );
  }
  return parse(file, await readFile(file));
}

function parse(file: string, stored: Buffer): Tensor {
  const bytes = unpacked(file, stored);
  const dimensions = bytes[3] ?? 0;
  const start = 4 + 4 * dimensions;
  if (bytes.length < start || bytes.readUInt16BE(0) !== 0 || bytes[2] !== unsignedBytes || dimensions === 0) {
    throw invalid(file, 'it does not begin as an IDX file of unsigned bytes does');
  }
  const sizes = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const expected = start + sizes.reduce((product, size) => product * size, 1);
  if (bytes.length !== expected) throw invalid(file, `it has ${bytes.length} bytes, and its sizes say ${expected}`);
  return tensor(new Uint8Array(bytes.subarray(start)), { dtype: 'uint8' }).reshape(sizes);
}

function unpacked(file: string, stored: Buffer): Buffer {
  if (!file.endsWith('.gz')) return stored;
  try {
    return gunzipSync(stored);
  } catch (cause) {
    throw invalid(file, `gzip cannot read it: ${(cause as Error).message}`, cause);
  }
}

function invalid(file: string, reason: string, cause?: unknown): AiforgeError {
  return new AiforgeError('FILE_INVALID', `${file} is no file of Fashion-MNIST: ${reason}. Get it again.`, { cause });
}
