import { Buffer } from 'node:buffer';
import { writeFileAtomic } from '../atomicFile.js';
import { anything, string } from '../kinds.js';
import { signature } from '../signature.js';
import { scope } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { Memories } from './memories.js';
import { PickleWriter } from './pickleWriter.js';
import { TensorRecords } from './tensorRecords.js';
import { zipChunks, type ZipEntry } from './zipWriter.js';

function whole(name: string, pieces: readonly Buffer[]): ZipEntry {
  return { name, size: pieces.reduce((sum, { length }) => sum + length, 0), chunks: () => pieces };
}

function entries(value: unknown): ZipEntry[] {
  const memories = new Memories();
  const records = new TensorRecords(memories);
  // Once to find which part of which memory the tensors need, and once with that.
  let pickle = new PickleWriter((item) => (Tensor.isTensor(item) ? records.collect(item) : undefined)).pickle(value);
  if (records.isAny) {
    pickle = new PickleWriter((item) => (Tensor.isTensor(item) ? records.record(item) : undefined)).pickle(value);
  }
  return [
    whole('archive/data.pkl', pickle),
    whole('archive/byteorder', [Buffer.from('little')]),
    ...memories.all.map((memory) => ({
      name: `archive/data/${memory.key}`,
      size: memory.size,
      chunks: () => memory.chunks(),
    })),
    whole('archive/version', [Buffer.from('3\n')]),
  ];
}

const saveTakes = signature({ value: anything, file: string });

/**
 * Writes tensors, numbers, texts, booleans, null, bytes, arrays, Maps, Sets and plain objects to a file that Python's
 * `torch.load` reads, with its default `weights_only=True` too; whole or not at all. Tensors that share memory share it when
 * loaded, and what occurs twice is one again; tensors keep what was set on them. Members that are undefined are left out.
 * Keys of plain objects are texts, but whole numbers where every key is one and every value an object, as in the state of
 * an optimizer; a Map's keys stay what they are, arrays as tuples. Whole numbers are Python's `int`, others `float`. As `torch.save`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for what is no data, such as a module (save its `stateDict()`), for holes in arrays,
 *   keys that are one in Python, and nested tensors.
 * @example
 * import { load, nn, optim, save } from 'aiforge';
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters());
 * save({ model: model.stateDict(), optimizer: optimizer.stateDict(), epoch: 3 }, '/tmp/checkpoint.pt');
 * load<{ epoch: number }>('/tmp/checkpoint.pt').epoch; // 3
 */
export function save(value: unknown, file: string): void {
  saveTakes.check('save', arguments);
  scope(() => writeFileAtomic(file, zipChunks(entries(value))));
}
