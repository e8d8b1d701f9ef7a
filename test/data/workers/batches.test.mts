// Workers make the same batches as this thread, and hand over errors and ends.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { threadId } from 'node:worker_threads';
import { setTimeout as later } from 'node:timers/promises';
import { expect } from 'chai';
import {
  CsvReader,
  DataLoader,
  fromModule,
  StackDataset,
  Subset,
  TensorDataset,
  type Dataset,
  type DataLoaderOptions,
} from '#lib/data/index.js';
import type { Sample } from './drawn.mjs';
import { Generator, arange, manualSeed, memory, rand, type Tensor } from '#lib/tensor/index.js';

const module = new URL('./drawn.mjs', import.meta.url);
const made = (name: string, ...args: unknown[]) => fromModule<Dataset<Sample>>(module, { name, args });

async function taken(dataset: Dataset<Sample>, options: DataLoaderOptions<Sample, never>): Promise<unknown[]> {
  const loader = new DataLoader<Sample>(dataset, { batchSize: 4, ...(options as object) });
  const batches: unknown[] = [];
  for await (const { index, drawn } of loader) batches.push([index.tolist(), drawn.tolist()]);
  return batches;
}

async function error(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as Error;
  }
  throw new Error('nothing was thrown');
}

describe('batches of a dataset', () => {
  it('are the same for any number of workers, and without any', async () => {
    for (const name of ['Drawn', 'DrawnLater']) {
      const dataset = await made(name, 18);
      const passes = [];
      for (const numWorkers of [0, 1, 2, 4]) {
        passes.push(await taken(dataset, { shuffle: true, generator: new Generator().manualSeed(7), numWorkers }));
      }
      for (const pass of passes.slice(1)) expect(pass).to.deep.equal(passes[0]);
    }
  });

  it('draw each sample anew in every pass, and twice where one is drawn twice', async () => {
    const loader = new DataLoader<Sample>(await made('Drawn', 2), {
      batchSize: 2,
      sampler: { length: 2, [Symbol.iterator]: () => [1, 1][Symbol.iterator]() },
    });
    const passes = [[...loader], [...loader]].map(([batch]) => batch!.drawn.tolist<number[][]>());
    expect(new Set(passes.flat().map(String)).size).to.equal(4);
  });

  it('leave the draws of this thread alone, but for the seed of the pass', async () => {
    const dataset = await made('Drawn', 8);
    const next: number[] = [];
    for (const numWorkers of [0, 2]) {
      manualSeed(3);
      await taken(dataset, { numWorkers });
      next.push(rand(1).item());
    }
    expect(next[1]).to.equal(next[0]);
  });

  it('come from datasets of tensors, subsets, and datasets side by side', async () => {
    const rows = new TensorDataset(arange(10), arange(10).mul(2));
    const dataset = new StackDataset([new Subset(rows, [9, 1, 4]), ['a', 'b', 'c']]);
    const batches = [];
    for await (const [[x], letters] of new DataLoader(dataset, { batchSize: 2, numWorkers: 1 })) {
      batches.push([x!.tolist(), letters]);
    }
    expect(batches).to.deep.equal([
      [
        [9, 1],
        ['a', 'b'],
      ],
      [[4], ['c']],
    ]);
  });

  it('are put together by a function of this thread, or of a module', async () => {
    const dataset = await made('Drawn', 6);
    const here = (samples: Sample[]) => samples.map(({ index }) => index);
    const there = await fromModule<(samples: Sample[]) => Tensor>(module, { name: 'sum' });
    const [lists, sums]: unknown[][] = [[], []];
    for await (const batch of new DataLoader<Sample, number[]>(dataset, { batchSize: 4, numWorkers: 2, collate: here }))
      lists!.push(batch);
    for await (const batch of new DataLoader<Sample, Tensor>(dataset, { batchSize: 4, numWorkers: 2, collate: there }))
      sums!.push(batch.item());
    expect([lists, sums]).to.deep.equal([
      [
        [0, 1, 2, 3],
        [4, 5],
      ],
      [6, 9],
    ]);
  });

  it('come as they are ready where the order does not matter', async () => {
    const batches = await taken(await made('DrawnLater', 30), { numWorkers: 2, inOrder: false, batchSize: 2 });
    expect(batches.flatMap((batch) => (batch as [number[]])[0]).sort((a, b) => a - b)).to.deep.equal([
      ...Array(30).keys(),
    ]);
  });

  it('are made by the same workers pass after pass where they persist', async () => {
    const loader = new DataLoader<number>(await fromModule(module, { name: 'threads' }), {
      numWorkers: 1,
      persistentWorkers: true,
    });
    const ids = new Set<unknown>();
    for (let pass = 0; pass < 3; ++pass) for await (const id of loader) ids.add(id.item());
    expect(ids.size).to.equal(1);
    for await (const id of loader) {
      ids.add(id.item());
      break;
    }
    for await (const id of loader) ids.add(id.item());
    expect(ids.size).to.equal(1);
    await loader.close();
  });

  it('let go of what was made ahead when the loop ends early', async () => {
    const dataset = await made('Drawn', 400);
    for (let i = 0; i < 2; ++i) for await (const _ of new DataLoader(dataset, { numWorkers: 2 })) break;
    const { tensors } = memory.stats();
    for (let i = 0; i < 3; ++i) for await (const _ of new DataLoader(dataset, { numWorkers: 2 })) break;
    expect(memory.stats().tensors).to.be.at.most(tensors + 6);
  });
});

describe('the first batches', () => {
  it('are made in this thread where that was asked for, and are the same', async () => {
    for (const name of ['Drawn', 'DrawnLater']) {
      const dataset = await made(name, 40);
      const passes = [];
      for (const startHere of [false, true]) {
        passes.push(await taken(dataset, { shuffle: true, generator: new Generator().manualSeed(7), numWorkers: 2, startHere })); // prettier-ignore
      }
      expect(passes[1]).to.deep.equal(passes[0]);
    }
    const ids = new Set<unknown>();
    const threads = await fromModule<Dataset<number>>(module, { name: 'threads' });
    for await (const id of new DataLoader(threads, { numWorkers: 1, startHere: true })) ids.add(id.item());
    expect(ids.has(threadId)).to.equal(true);
  });

  it('that fail are told by the workers, with the sample', async () => {
    const thrown = await error(taken(await made('Odd', 12, 1, 'throw'), { numWorkers: 2, startHere: true }));
    expect(thrown.message).to.match(/sample 1 could not be made in worker \d: RangeError: no row 1$/);
  });

  it('keep the tensors that a dataset gives again', async () => {
    const dataset = await fromModule<Dataset<Tensor>>(module, { name: 'shared' });
    const collate = await fromModule<(samples: Tensor[]) => Tensor>(module, { name: 'alone' });
    for (let pass = 0; pass < 2; ++pass) {
      for await (const batch of new DataLoader<Tensor, Tensor>(dataset, { numWorkers: 1, startHere: true, collate })) {
        expect(batch.item()).to.equal(3);
        break;
      }
    }
  });

  it('need workers to begin with', () => {
    expect(() => new DataLoader([1], { startHere: true })).to.throw(/startHere says something of workers/);
  });
});

describe('a worker', () => {
  it('keeps the tensors of its dataset, which gives them again', async () => {
    const dataset = await fromModule<Dataset<Tensor>>(module, { name: 'shared' });
    const there = await fromModule<(samples: Tensor[]) => Tensor>(module, { name: 'alone' });
    for (const collate of [there, (samples: Tensor[]) => samples[0]!]) {
      const loader = new DataLoader<Tensor, Tensor>(dataset, { numWorkers: 1, persistentWorkers: true, collate });
      const seen = [];
      for (let pass = 0; pass < 2; ++pass) for await (const batch of loader) seen.push(batch.item());
      await loader.close();
      expect(seen).to.deep.equal([3, 3, 3, 3, 3, 3, 3, 3]);
    }
  });

  it('hands over an error with its own stack and the index of the sample', async () => {
    const thrown = await error(taken(await made('Odd', 12, 6, 'throw'), { numWorkers: 2 }));
    expect(thrown).to.include({ code: 'LOADER_FAILED' });
    expect(thrown.message).to.match(/sample 6 could not be made in worker \d: RangeError: no row 6$/);
    expect((thrown.cause as Error).stack).to.match(/no row 6\n\s+at Odd\.#odd \(.*drawn\.mts:\d+/);
  });

  it('says what of a sample cannot be sent', async () => {
    const collate = await fromModule<never>(module, { name: 'same' });
    const thrown = await error(taken(await made('Odd', 4, 1, 'function'), { numWorkers: 1, collate }));
    expect(thrown.message).to.match(/the batch\[1\]\.drawn is .*, which cannot be sent to another thread/);
  });

  it('that cannot make the dataset says why', async () => {
    const unmade = { length: 4, get: () => 1 };
    const thrown = await error(taken(unmade as never, { numWorkers: 1 }));
    expect(thrown).to.include({ code: 'INVALID_ARGUMENT' });
    expect(thrown.message).to.match(/and dataset\.get is .*Write it in a module of its own.*fromModule/);
  });

  it('that ends or fails ends the pass, and says what it was at', async () => {
    const ended = await error(taken(await made('Odd', 12, 5, 'exit'), { numWorkers: 2 }));
    expect(ended).to.include({ code: 'LOADER_FAILED' });
    expect(ended.message).to.match(/worker \d ended with code 3 while it made the samples 4, 5, 6, 7/);
    const uncaught = await error(taken(await made('Odd', 12, 5, 'uncaught'), { numWorkers: 2 }));
    expect(uncaught.message).to.match(/worker \d failed while it made the samples 4, 5, 6, 7: ReferenceError: missing/);
  });

  it('that takes too long, or is no longer wanted, is ended', async () => {
    for (const what of ['hang', 'never']) {
      const late = await error(taken(await made('Odd', 12, 5, what), { numWorkers: 2, timeoutMs: 300 }));
      expect(late.message).to.match(/no batch came within timeoutMs = 300; worker \d was at it/);
      const stop = new AbortController();
      const aborted = error(taken(await made('Odd', 12, 5, what), { numWorkers: 1, signal: stop.signal }));
      await later(100);
      stop.abort(new Error('enough'));
      expect((await aborted).message).to.equal('enough');
    }
  });
});

describe('datasets that give promises', () => {
  it('are awaited, all samples of a batch at the same time', async () => {
    let [now, most] = [0, 0];
    const dataset: Dataset<Promise<number>> = {
      length: 10,
      get: async (index) => {
        most = Math.max(most, ++now);
        await later(2);
        now -= 1;
        return index;
      },
    };
    const batches = [];
    for await (const batch of new DataLoader(dataset, { batchSize: 5 })) batches.push(batch.tolist());
    expect([batches, most]).to.deep.equal([
      [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
      ],
      5,
    ]);
    most = 0;
    for await (const _ of new DataLoader(dataset, { batchSize: 5, prefetchFactor: 1 })) await later(5);
    expect(most).to.equal(10);
  });

  it('may fail, which ends the pass and nothing else', async () => {
    const dataset: Dataset<Promise<number>> = {
      length: 4,
      get: (index) => Promise.reject(new RangeError(`no ${index}`)),
    };
    const pass = async () => {
      for await (const _ of new DataLoader(dataset, { batchSize: 4 }));
    };
    expect((await error(pass())).message).to.equal('no 0');
  });
});

describe('readers', () => {
  it('are made again in workers, with the same arguments', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'workers-'));
    const file = path.join(folder, 'table.csv');
    writeFileSync(file, 'a;b\n1;x\n2;y\n3;z\n');
    const rows = new CsvReader(file, { delimiter: ';', batchRows: 2 });
    const seen: unknown[] = [];
    for await (const [batch] of new DataLoader(rows, { numWorkers: 1, collate: (tables) => tables })) {
      seen.push([(batch!.a as Tensor).tolist(), batch!.b]);
    }
    rmSync(folder, { recursive: true });
    expect(seen).to.deep.equal([[[1, 2], ['x', 'y']], [[3], ['z']]]); // prettier-ignore
  });

  it('of a class of the user’s own are not', () => {
    class Own extends CsvReader {}
    const take = async () => {
      for await (const _ of new DataLoader(new Own('table.csv'), { numWorkers: 1 }));
    };
    return expectRefusal(take());
  });
});

const expectRefusal = async (promise: Promise<unknown>) =>
  expect((await error(promise)).message).to.match(/and dataset is .*Own.*Write it in a module of its own/);
