// Batches of a run that come later, or from workers, and that are changed at random: the numbers are those of batches made at once.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { BaseDataset, evaluateRun, predictRun, readSettings, registerPlugin, type Callback } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import {
  abortAt,
  bytesOf,
  Config,
  Dataset,
  experiment,
  failureOf,
  Model,
  runIn,
  Unchanged,
  type Batch,
} from './lab.mjs';

/** Draws its points from the random state that data is loaded with. */
const datasetSource = `
import { BaseDataset, randn, tensor, type LoadContext, type Tensor } from 'aiforge';
export class Dataset extends BaseDataset<Tensor> {
  #x!: Tensor;
  get length() { return this.#x.size(0); }
  get(index: number) { return this.#x.at(index); }
  loadData(_: string, { args }: LoadContext) { this.#x = randn([Number(args.count), 4]); }
}
`;

const preprocessorSource = `
import { BasePreprocessor, randn, tensor, type data, type Tensor } from 'aiforge';
interface Sample { x: Tensor; labels: Tensor }
export class Preprocessor extends BasePreprocessor<Tensor, Sample> {
  #scale = 1;
  fit(items: Iterable<Tensor>) { for (const item of items) this.#scale = Math.max(this.#scale, item.abs().max().item()); }
  transform(item: Tensor) { return { x: item.div(this.#scale), labels: tensor(item.sum().item() > 0 ? 1 : 0) }; }
  override augment({ x, labels }: Sample, { generator }: data.SampleContext) {
    return { x: x.add(randn([4], { generator }).mul(0.1)), labels };
  }
  inverseTransform({ x }: Sample) { return x.mul(this.#scale); }
  state() { return this.#scale; }
  restore(state: unknown) { this.#scale = state as number; }
}
`;

describe('batches of a run', () => {
  const folder = temporaryFolder('loading');
  const inside = (name: string): string => path.join(folder, name);
  const plugin = path.join(folder, 'plugin', 'noisy');
  const rest = { datasetPlugin: plugin, datasetArgs: { count: 60 } };

  before(() => {
    mkdirSync(plugin, { recursive: true });
    writeFileSync(path.join(plugin, 'dataset.ts'), datasetSource);
    writeFileSync(path.join(plugin, 'preprocessor.ts'), preprocessorSource);
  });

  it('are the same with any number of workers, also where they are changed at random', async () => {
    const runs = [];
    for (const numWorkers of [0, 1, 2]) {
      const { history, test, runDirectory } = await runIn(inside(`workers-${numWorkers}`), experiment({ numWorkers }, rest)); // prettier-ignore
      runs.push({ history, test, best: bytesOf(runDirectory, 'best.safetensors') });
    }
    expect(runs[1]!.history).to.deep.equal(runs[0]!.history);
    for (const run of runs.slice(1)) {
      expect(run.test).to.deep.equal(runs[0]!.test);
      expect(run.best === runs[0]!.best).to.equal(true);
    }
  });

  it('draw anew in each epoch, and only to train', async () => {
    const seen: Record<string, number[]> = { train: [], validation: [] };
    class Watching extends Model {
      override trainingStep(batch: Batch) {
        seen.train!.push(batch.x.sum().item());
        return super.trainingStep(batch);
      }
      override validationStep(batch: Batch) {
        seen.validation!.push(batch.x.sum().item());
        return super.trainingStep(batch);
      }
    }
    registerPlugin({ name: 'watching', Model: Watching, Config });
    const settings = { epochs: 2, overfitBatches: 1, testFraction: 0, sanityValBatches: 0 };
    await runIn(inside('watching'), experiment(settings, { ...rest, modelPlugin: 'watching' }));
    const [first, second] = seen.train!;
    expect(first).not.to.equal(second);
    expect(new Set(seen.validation).size).to.equal(1);
  });

  for (const [numWorkers, resumedWith] of [
    [0, 0],
    [0, 2],
    [2, 0],
  ] as const) {
    // prettier-ignore
    it(`go on within an epoch as if it had never stopped, from ${numWorkers} workers to ${resumedWith}`, async () => {
      const name = `cut-${numWorkers}-${resumedWith}`;
      const whole = await runIn(inside(`${name}-whole`), experiment({ numWorkers: resumedWith, epochs: 2 }, rest));
      const cut = { ...abortAt(2, 2) };
      await runIn(inside(name), experiment({ numWorkers, epochs: 2 }, rest), cut);
      const [only] = readdirSync(path.join(inside(name), 'lab'));
      const directory = path.join(inside(name), 'lab', only!);
      const resumed = experiment({ numWorkers: resumedWith, epochs: 2, resumeFrom: directory }, rest);
      expect((await runIn(inside(name), resumed)).status).to.equal('finished');
      expect(bytesOf(directory, 'best.safetensors') === bytesOf(whole.runDirectory, 'best.safetensors')).to.equal(true);
    });
  }

  it('go on between validations within an epoch, with workers', async () => {
    const runs = [];
    for (const numWorkers of [0, 2]) {
      const settings = { numWorkers, valCheckInterval: 2, epochs: 2 };
      runs.push((await runIn(inside(`checked-${numWorkers}`), experiment(settings, rest))).history);
    }
    expect(runs[1]).to.deep.equal(runs[0]);
  });

  it('cannot come from workers where the data set is registered in code', async () => {
    const failure = await failureOf(runIn(inside('registered'), experiment({ numWorkers: 2 })));
    expect(failure).to.include({ code: 'CONFIG_INVALID' });
    expect(failure.message).to.match(/training\.numWorkers is 2, and 'lab' was registered in code.*dataset\.ts/s);
  });

  it('of evaluations come from workers too', async () => {
    const { runDirectory, test } = await runIn(inside('evaluated'), experiment({}, rest));
    const settings = readSettings();
    const scores = await evaluateRun(runDirectory, { split: 'test', overrides: ['training.numWorkers=2'], settings });
    expect(scores).to.deep.equal(test);
  });
});

describe('items that are promises', () => {
  const folder = temporaryFolder('later');
  const lab = new Dataset();

  class Later extends BaseDataset<Promise<Batch>> {
    get length(): number {
      return lab.length;
    }
    async get(index: number): Promise<Batch> {
      await new Promise((resolve) => setImmediate(resolve));
      return lab.get(index);
    }
    loadData(): void {
      // It is there already.
    }
  }

  class LaterBatches extends Later {
    override getBatch(indices: readonly number[]): Promise<Batch[]> {
      return Promise.all(indices.map((index) => this.get(index)));
    }
  }

  class FittedLater extends Unchanged {
    seen = 0;
    override async fit(items: Iterable<Batch> & AsyncIterable<Batch>): Promise<void> {
      for await (const { x } of items) this.seen += x.numel();
    }
  }

  registerPlugin({ name: 'later', Model, Dataset: Later, Config });
  registerPlugin({ name: 'later-batches', Model, Dataset: LaterBatches, Config });
  registerPlugin({ name: 'later-fitted', Model, Dataset: Later, Preprocessor: FittedLater, Config });

  for (const datasetPlugin of ['later', 'later-batches', 'later-fitted']) {
    it(`train, validate and predict as those that are there: ${datasetPlugin}`, async () => {
      const now = await runIn(path.join(folder, `${datasetPlugin}-now`), experiment());
      const later = await runIn(path.join(folder, datasetPlugin), experiment({}, { datasetPlugin }));
      expect(later.history).to.deep.equal(now.history);
      expect(later.test).to.deep.equal(now.test);
      const predictions = async (directory: string) => {
        const all = [];
        for await (const each of predictRun(directory, { split: 'test' })) all.push(each);
        return all;
      };
      expect(await predictions(later.runDirectory)).to.deep.equal(await predictions(now.runDirectory));
    });
  }

  it('end the run with their own error', async () => {
    class Failing extends Later {
      override get(index: number): Promise<Batch> {
        return index === 50 ? Promise.reject(new RangeError('no row 50')) : super.get(index);
      }
    }
    registerPlugin({ name: 'later-failing', Model, Dataset: Failing, Config });
    const failure = await failureOf(runIn(path.join(folder, 'failing'), experiment({}, { datasetPlugin: 'later-failing' }))); // prettier-ignore
    expect(failure.message).to.equal('no row 50');
  });

  it('are not waited for once the run is to stop, which leaves its checkpoint', async () => {
    const stop = new AbortController();
    let isLate = false;
    class Hanging extends Later {
      override get(index: number): Promise<Batch> {
        if (!isLate) return super.get(index);
        setTimeout(() => stop.abort(), 50);
        return new Promise(() => undefined);
      }
    }
    registerPlugin({ name: 'later-hanging', Model, Dataset: Hanging, Config });
    const late: Callback = { onBatchEnd: ({ stage, batch }) => void (isLate ||= stage === 'train' && batch === 3) };
    const config = experiment({}, { datasetPlugin: 'later-hanging' });
    const result = await runIn(path.join(folder, 'hanging'), config, { signal: stop.signal, callbacks: [late] });
    expect(result.status).to.equal('interrupted');
    isLate = false;
    const resumed = experiment({ resumeFrom: result.runDirectory }, { datasetPlugin: 'later-hanging' });
    const gone = await runIn(path.join(folder, 'hanging'), resumed);
    const whole = await runIn(path.join(folder, 'whole'), experiment());
    expect(gone.test).to.deep.equal(whole.test);
  });
});
