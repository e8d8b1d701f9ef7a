// Streams that workers read: the same samples in the same order as here, from every batch on.

import { expect } from 'chai';
import { DataLoader, fromModule, type LoaderState, type StreamDataset } from '#lib/data/index.js';
import { manualSeed, memory, type Tensor } from '#lib/tensor/index.js';

const module = new URL('./drawn.mjs', import.meta.url);
type Sample = [number, Tensor];

const collate = (samples: Sample[]) => samples.map(([value, drawn]) => `${value} ${drawn.item<number>()}`);

const loaderOf = (stream: StreamDataset<Sample>, numWorkers: number, batchSize = 4) =>
  new DataLoader<Sample, string[]>(stream, { batchSize, collate, numWorkers });

async function some(loader: DataLoader<Sample, string[]>, batches: number): Promise<[string[], LoaderState]> {
  const seen: string[] = [];
  for await (const batch of loader) {
    seen.push(...batch);
    if (--batches === 0) break;
  }
  return [seen, JSON.parse(JSON.stringify(loader.stateDict())) as LoaderState];
}

async function error(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => expect.fail('nothing was thrown'),
    (thrown: unknown) => thrown as Error,
  );
}

describe('a stream', () => {
  const sizes = [5, 0, 11, 2, 7];
  let stream: StreamDataset<Sample>;
  before(async () => (stream = await fromModule(module, { name: 'shards', args: [sizes] })));

  it('comes in the order of its parts, with any number of workers, every sample with draws of its own', async () => {
    const passes = [];
    for (const numWorkers of [0, 1, 2, 4]) {
      manualSeed(3);
      passes.push((await some(loaderOf(stream, numWorkers), Infinity))[0]);
    }
    for (const pass of passes) expect(pass).to.deep.equal(passes[0]);
    expect(passes[0]!.map((each) => Number(each.split(' ')[0]))).to.deep.equal(
      sizes.flatMap((size, part) => Array.from({ length: size }, (_, i) => 100 * part + i)),
    );
    expect(new Set(passes[0]!.map((each) => each.split(' ')[1])).size).to.equal(25);
  });

  it('goes on after any batch, with other workers and another batch size', async () => {
    manualSeed(8);
    const [whole] = await some(loaderOf(stream, 0), Infinity);
    for (let stop = 1; stop <= 7; ++stop) {
      manualSeed(8);
      const workers = [stop % 3, (stop + 1) % 3, (stop + 2) % 3];
      const [first, state] = await some(loaderOf(stream, workers[0]!, 3), stop);
      const second = loaderOf(stream, workers[1]!, 2);
      second.loadStateDict(state);
      const [middle, next] = await some(second, 1);
      const third = loaderOf(stream, workers[2]!);
      third.loadStateDict(next);
      expect([...first, ...middle, ...(await some(third, Infinity))[0]]).to.deep.equal(whole);
    }
  });

  it('may be any iterable of a module', async () => {
    const numbers = await fromModule<Iterable<number>>(module, { name: 'numbersAgain' });
    const seen: unknown[] = [];
    for await (const batch of new DataLoader(numbers, { batchSize: 4, numWorkers: 2 })) seen.push(batch.tolist());
    expect(seen).to.deep.equal([[0, 1, 2, 3], [4, 5, 6, 7], [8]]);
  });

  it('that hangs is given up with the worker and the part that it was at', async () => {
    const stuck = await fromModule<AsyncIterable<number>>(module, { name: 'stuck' });
    const loader = new DataLoader(stuck, { numWorkers: 1, timeoutMs: 300 });
    const { code, message } = await error(loader[Symbol.asyncIterator]().next());
    expect([code, message.split(';')[1]]).to.deep.equal(['LOADER_FAILED', ' worker 0, which reads part 0 of the stream, was at it. Look for what hangs in the dataset, or give it more time.']); // prettier-ignore
  });

  it('tells what fails, and lets go of what was read ahead', async () => {
    const odd = await fromModule<StreamDataset<Sample>>(module, { name: 'shards', args: [[6, 6], 103] });
    const thrown = await error(some(loaderOf(odd, 2), Infinity));
    expect(thrown).to.include({ code: 'LOADER_FAILED' });
    expect(thrown.message).to.match(/part 1 of the stream could not be made in worker 1: RangeError: no row 103/);
    await some(loaderOf(stream, 2), 1);
    const { tensors } = memory.stats();
    for (let i = 0; i < 2; ++i) await some(loaderOf(stream, 2), 1);
    expect(memory.stats().tensors).to.be.at.most(tensors + 8);
  });
});
