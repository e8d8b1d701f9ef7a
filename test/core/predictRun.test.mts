import path from 'node:path';

import {
  BasePreprocessor,
  loadRun,
  predictRun,
  registerPlugin,
  tensor,
  type AiforgeError,
  type ClassifiedPrediction,
  type PredictRunOptions,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { Config, Dataset, experiment, Model, runIn, type Batch } from './lab.mjs';

interface Item {
  x: number[] | Tensor;
  labels?: Tensor;
}

/** Takes points of numbers, as a file has them, and refuses those of other lengths. */
class Points extends BasePreprocessor<Item, { x: Tensor }> {
  fit(): void {}
  transform({ x, ...rest }: Item): { x: Tensor } {
    const given = Array.isArray(x) ? tensor(x, { dtype: 'float32' }) : x;
    if (given.numel() !== 4) throw new Error(`a point has 4 numbers, not ${given.numel()}`);
    return { x: given, ...rest };
  }
  inverseTransform(): Item {
    throw new Error('There is no way back.');
  }
  state(): null {
    return null;
  }
  restore(): void {}
}

class Named extends Dataset {
  override classNames = ['low', 'high'];
}
class Embedding extends Model {
  override predictStep({ x }: Batch): unknown {
    return { logits: this.forward(x), norm: x.norm(2, 1), words: x.tolist<number[][]>().map(([a]) => ({ sign: a! > 0 ? '+' : '-' })) }; // prettier-ignore
  }
}
class Scalar extends Model {
  override predictStep({ x }: Batch): unknown {
    return { mean: x.mean() };
  }
}
class Failing extends Model {
  override predictStep(_batch: Batch, batchIdx: number): unknown {
    if (batchIdx === 1) throw new Error('no answer');
    return [1, 2];
  }
}
registerPlugin({ name: 'predicted', Dataset: Named, Preprocessor: Points });
registerPlugin({ name: 'predicting_object', Model: Embedding, Config });
registerPlugin({ name: 'predicting_scalar', Model: Scalar, Config });
registerPlugin({ name: 'predicting_failing', Model: Failing, Config });

async function collect<T>(predictions: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const prediction of predictions) all.push(prediction);
  return all;
}

describe('predictRun', function () {
  this.timeout(60_000);
  const folder = temporaryFolder('predict-run');
  const train = async (modelPlugin: string) =>
    (
      await runIn(
        path.join(folder, modelPlugin),
        experiment({ epochs: 1 }, { modelPlugin, datasetPlugin: 'predicted' }),
      )
    ).runDirectory;
  const items = Array.from({ length: 21 }, (_, i) => ({ x: [i, i % 3, -i, 0.5] }));
  const failure = async (directory: string, options: PredictRunOptions): Promise<AiforgeError> =>
    Promise.resolve()
      .then(() => collect(predictRun(directory, options)))
      .then(
        () => {
          throw new Error('it did not fail');
        },
        (error: AiforgeError) => error,
      );

  let run: string;
  before(async () => (run = await train('lab')));

  it('gives what loadRun gives, item by item in order, whatever the batches and the kind of items', async () => {
    const loaded = loadRun<Item>(run);
    const expected = items.map((item) => loaded.predict([item]).tolist<number[][]>()[0]!);
    async function* later(): AsyncGenerator<Item> {
      for (const item of items) yield await Promise.resolve(item);
    }
    for (const [given, batchSize] of [
      [items, 1],
      [items, 4],
      [new Set(items), 21],
      [later(), 50],
      [items, undefined],
    ] as const) {
      // prettier-ignore
      const found = await collect(predictRun<Item, number[]>(run, { items: given, ...(batchSize && { batchSize }) }));
      expect(found).to.have.length(items.length);
      found.forEach((row, i) => row.forEach((value, j) => expect(value).to.be.closeTo(expected[i]![j]!, 1e-5)));
    }
    expect(await collect(predictRun(run, { items: [] }))).to.deep.equal([]);
  });

  it('reads items when they are due: no more than a batch before what was taken', async () => {
    let read = 0;
    let closed = false;
    function* endless(): Generator<Item> {
      try {
        for (;;) yield { x: [++read, 0, 0, 0] };
      } finally {
        closed = true;
      }
    }
    let taken = 0;
    for await (const _ of predictRun(run, { items: endless(), batchSize: 5 })) {
      expect(read).to.be.at.most(5 * Math.ceil(++taken / 5));
      if (taken === 23) break;
    }
    await Promise.resolve();
    expect({ read, closed }).to.deep.equal({ read: 25, closed: true });
  });

  it('predicts for splits, in their order, and for all of the data set', async () => {
    const loaded = loadRun<Item>(run);
    const dataset = new Named();
    const all = await collect(predictRun<Item, number[]>(run, { split: 'all', batchSize: 104 }));
    expect(all).to.have.length(104);
    const expected = loaded.predict(Array.from({ length: 104 }, (_, i) => dataset.get(i))).tolist<number[][]>();
    expect(all).to.deep.equal(expected);
    for (const [split, count] of [
      ['train', 84],
      ['val', 10],
      ['test', 10],
    ] as const) {
      const some = await collect(predictRun<Item, number[]>(run, { split }));
      expect(some).to.have.length(count);
      for (const [first] of some) expect(Math.min(...all.map((row) => Math.abs(row[0]! - first!)))).to.be.below(1e-5);
    }
  });

  it('adds classes by their names, and probabilities', async () => {
    const loaded = loadRun<Item>(run);
    const expected = loaded.classify(items);
    const found = await collect(predictRun<Item, ClassifiedPrediction>(run, { items, classify: true, batchSize: 21 }));
    expect(found.map(({ label }) => label)).to.deep.equal(expected.map(({ label }) => ['low', 'high'][label]));
    expect(found.map(({ probability }) => probability)).to.deep.equal(expected.map(({ label, probabilities }) => probabilities[label])); // prettier-ignore
    expect(found[0]!.prediction).to.have.length(2);
  });

  it('divides objects of tensors and arrays', async () => {
    const object = await train('predicting_object');
    const [, second] = await collect(predictRun(object, { items: [{ x: [0, 0, 0, 1] }, { x: [3, 4, 0, 0] }] }));
    expect(second).to.deep.include({ norm: 5, words: { sign: '+' } });
    const [classified] = await collect(predictRun<Item, ClassifiedPrediction>(object, { items, classify: true }));
    expect(['low', 'high']).to.include(classified!.label);
  });

  it('names the items of what has no prediction', async () => {
    const scalar = await failure(await train('predicting_scalar'), { items, batchSize: 4 });
    expect(scalar).to.include({ code: 'PLUGIN_INVALID' });
    expect(scalar.message).to.match(/for items 0 to 3: .*'mean' is .*expected a tensor whose first dimension are the 4 items/); // prettier-ignore
    const failing = await failure(await train('predicting_failing'), { items, batchSize: 2 });
    expect(failing.message).to.include('There is no prediction for items 2 to 3: no answer');
    const classes = await failure(await train('predicting_scalar'), { items, classify: true });
    expect(classes).to.include({ code: 'PLUGIN_INVALID' });
  });

  it('ends at an item that the preprocessor refuses, or gives its error in its place', async () => {
    const mixed: Item[] = [{ x: [1, 2, 3, 4] }, { x: [1] }, { x: [0, 0, 0, 0] }, { x: [] }];
    const { code, message } = await failure(run, { items: mixed });
    expect(code).to.equal('PLUGIN_INVALID');
    expect(message).to.match(/cannot transform item 1: a point has 4 numbers, not 1\./);
    for (const batchSize of [1, 4]) {
      const found = await collect(predictRun(run, { items: mixed, skipErrors: true, batchSize }));
      expect(found.map((each) => (each instanceof Error ? /item \d/.exec(each.message)![0] : 'prediction'))).to.deep.equal(['prediction', 'item 1', 'prediction', 'item 3']); // prettier-ignore
    }
  });

  it('is stopped by its signal, while it waits for an item too', async () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    async function* waiting(): AsyncGenerator<Item> {
      yield* items.slice(0, 4);
      setImmediate(() => controller.abort('SIGINT'));
      await new Promise(() => undefined);
    }
    const work = async () => {
      for await (const each of predictRun(run, { items: waiting(), batchSize: 2, signal: controller.signal })) seen.push(each); // prettier-ignore
    };
    const error = await work().catch((reason: AiforgeError) => reason);
    expect(error).to.include({ code: 'RUN_INTERRUPTED' });
    expect(seen).to.have.length(4);
    const reason = new Error('enough');
    expect(await failure(run, { items, signal: AbortSignal.abort(reason) })).to.equal(reason);
  });

  it('passes on an error of the items', async () => {
    const items = (function* () {
      yield { x: [1, 2, 3, 4] };
      throw new Error('the disk is gone');
    })();
    expect((await failure(run, { items })).message).to.equal('the disk is gone');
  });

  it('refuses what it does not take', async () => {
    for (const [options, message] of [
      [{}, /takes either items or a split, got neither/],
      [{ items, split: 'val' }, /got both/],
      [{ split: 'tset' }, /split must be 'train', 'val', 'test' or 'all'/],
      [{ items: 'text' }, /items must be items: an array/],
      [{ items, batchSise: 3 }, /Did you mean 'batchSize'/],
      [{ items, batchSize: 0 }, /batchSize must be a whole number above 0/],
      [{ items, overrides: ['dataPath=./x'] }, /dataPath was .* cannot become/],
      [{ items, overrides: ['training.batchSize=3'] }, /training\.batchSize was 8 and cannot become 3/],
    ] as [PredictRunOptions, RegExp][]) {
      expect((await failure(run, options)).message).to.match(message);
    }
  });
});
