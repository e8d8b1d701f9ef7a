import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import {
  loadRun,
  loadExperimentConfig,
  registerPlugin,
  tensor,
  type Callback,
  type ExperimentConfig,
  type OrchestratorOptions,
  type StepOutput,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { Dataset, experiment, failureOf, linesOf, Model, runIn, Unchanged, type Batch } from './lab.mjs';

/** What a step gives in place of what the lab's gives; every plugin below asks it. */
let alter: (output: StepOutput, kind: 'training' | 'validation', batchIdx: number) => unknown = (output) => output;
let loads = 0;

class Altered extends Model {
  #steps = 0;

  override trainingStep(batch: Batch): StepOutput {
    return alter(super.trainingStep(batch), 'training', this.#steps++) as StepOutput;
  }

  override validationStep(batch: Batch): StepOutput {
    return alter(super.trainingStep(batch), 'validation', 0) as StepOutput;
  }
}

class Counted extends Dataset {
  override loadData(): void {
    loads++;
  }
}

registerPlugin({ name: 'altered', Model: Altered, Dataset: Counted });

describe('what a run checks', () => {
  const folder = temporaryFolder('checks');
  let runs = 0;
  const altered = { modelPlugin: 'altered', datasetPlugin: 'altered', model: { dropout: 0, classes: 2 } };
  const run = (config: ExperimentConfig, options?: OrchestratorOptions) =>
    runIn(path.join(folder, String(++runs)), config, options);
  const lastRuns = () => path.join(folder, String(runs));

  beforeEach(() => {
    alter = (output) => output;
    loads = 0;
  });

  describe('before data, folder and trackers are touched', () => {
    const cases: [string, object, RegExp][] = [
      ['an optimizer that there is none of', { optimizerName: 'Adma' }, /no 'Adma'.*Did you mean 'Adam'/s],
      ['an option of the optimizer', { optimizerArgs: { weightDecay: 'much' } }, /weightDecay/],
      ['a loss that there is none of', { lossFnName: 'CrossEntropyLos' }, /no 'CrossEntropyLos'/],
      [
        'a metric to watch that nobody has',
        { earlyStoppingMonitor: 'loss' },
        /no metric 'loss'.*begin with train_ or val_/s,
      ],
      ['ranks that there are none of', { worldSize: 4 }, /worldSize is 4, but this process trains alone.*--nproc 4/],
      ['ranks without a launcher', { useDistributed: true }, /useDistributed is true, but this process trains alone/],
      ['a process that it is not', { localRank: 3 }, /localRank is 3, but this is process 0 of its machine/],
    ];
    for (const [what, training, message] of cases) {
      it(what, async () => {
        const failure = await failureOf(run(experiment(training, altered)));
        expect(failure).to.include({ name: 'AiforgeError' });
        expect(failure.message).to.match(message);
        expect(loads).to.equal(0);
        expect(existsSync(lastRuns())).to.equal(false);
      });
    }
  });

  describe('before the first step', () => {
    it('a metric to watch without samples to validate on', async () => {
      const failure = await failureOf(run(experiment({ valFraction: 0 }, altered)));
      expect(failure).to.include({ code: 'CONFIG_INVALID' });
      expect(failure.message).to.match(/'val_loss', but there are no samples to validate on/);
      expect(existsSync(lastRuns())).to.equal(false);
    });

    it('a metric to watch that no step measures', async () => {
      let steps = 0;
      alter = (output, kind) => (kind === 'training' ? (steps++, output) : { ...output, metrics: { mae: 1 } });
      const failure = await failureOf(
        run(experiment({ earlyStoppingMonitor: 'val_mea', earlyStoppingMode: 'min' }, altered)),
      );
      expect(failure.message).to.match(/no metric 'val_mea'.*Did you mean 'val_mae'.*val_accuracy, val_f1, val_mae/s);
      expect(steps).to.equal(0);
    });
  });

  it('trains on what a step measures besides, means over all samples, and watches it', async () => {
    alter = (output, kind) => ({ ...output, metrics: { mae: tensor(kind === 'training' ? 2 : 3) } });
    const result = await run(experiment({ earlyStoppingMonitor: 'val_mae', epochs: 1 }, altered));
    expect(result.history[0]).to.include({ train_mae: 2, val_mae: 3 });
    expect(result.test!.metrics).to.include({ mae: 3 });
    expect(linesOf(result.runDirectory).some(({ metrics }) => metrics?.val_mae === 3)).to.equal(true);
  });

  describe('of a step', () => {
    const cases: [string, (output: StepOutput) => unknown, RegExp][] = [
      ['nothing', () => undefined, /must return \{ loss \}, got undefined/],
      ['a tensor', ({ loss }) => loss, /must return \{ loss \}, got a tensor of shape \[\]/],
      ['a promise', (output) => Promise.resolve(output), /returned a promise, but must be synchronous/],
      ['a number as the loss', () => ({ loss: 0.5 }), /single element, got 0\.5/],
      [
        'several losses',
        ({ predictions }) => ({ loss: predictions }),
        /single element, got a tensor of shape \[8, 2\]/,
      ],
      ['an unknown value', (output) => ({ ...output, mae: 1 }), /unknown 'mae'.*metrics: \{ mae \}/],
      ['a name of PyTorch’s', (output) => ({ ...output, prediction: 1 }), /Did you mean 'predictions'/],
      ['a metric that is text', (output) => ({ ...output, metrics: { mae: 'much' } }), /metrics\.mae as 'much'/],
      [
        'a metric of the framework',
        (output) => ({ ...output, metrics: { loss: 1 } }),
        /'loss', which the framework computes/,
      ],
      ['a negative weight', (output) => ({ ...output, weight: -1 }), /weight -1; expected 0 or more/],
    ];
    for (const kind of ['training', 'validation'] as const) {
      for (const [what, output, message] of cases) {
        it(`${what} in ${kind}Step`, async () => {
          alter = (given, of) => (of === kind ? output(given) : given);
          const failure = await failureOf(run(experiment({}, altered)));
          expect(failure).to.include({ name: 'AiforgeError', code: 'PLUGIN_INVALID' });
          expect(failure.message).to.match(message).and.to.include(`${kind}Step`);
        });
      }
    }

    it('a loss without gradients', async () => {
      alter = (output, kind) => (kind === 'training' ? { ...output, loss: output.loss.detach() } : output);
      expect((await failureOf(run(experiment({}, altered)))).message).to.match(/no parameter takes part/);
    });
  });

  describe('that numbers are numbers', () => {
    it('stops at a loss of NaN, names the batch and marks the run as failed', async () => {
      alter = (output, kind, step) =>
        kind === 'training' && step === 13 ? { ...output, loss: output.loss.mul(Number.NaN) } : output;
      let directory = '';
      const remember: Callback = { onRunStart: ({ runDirectory }) => void (directory = runDirectory) };
      const failure = await failureOf(run(experiment({}, altered), { callbacks: [remember] }));
      expect(failure).to.include({ code: 'TRAINING_FAILED' });
      expect(failure.message).to.match(/loss is NaN in epoch 2, batch 3.*nonFiniteLoss=skip/);
      expect(linesOf(directory).at(-1)).to.include({ kind: 'finish', status: 'FAILED' });
    });

    it('trains on when it is told to', async () => {
      alter = (output, kind, step) =>
        kind === 'training' && step === 13 ? { ...output, loss: output.loss.mul(Number.NaN) } : output;
      const result = await run(experiment({ nonFiniteLoss: 'ignore' }, altered));
      // The first epoch was sound, so its weights are the best; all later ones are not numbers.
      expect(result).to.include({ epochs: 3, bestEpoch: 1 });
    });

    it('never names a best epoch when the metric to watch was never a number', async () => {
      alter = (output, kind) => (kind === 'validation' ? { ...output, loss: output.loss.mul(Number.NaN) } : output);
      const failure = await failureOf(run(experiment({ epochs: 2 }, altered)));
      expect(failure.message).to.match(/'val_loss' was a number in no epoch.*last\.safetensors/s);
    });

    it('takes the third of NaN, 0.5 and 0.4 for the best', async () => {
      let passes = 0;
      const values = [Number.NaN, Number.NaN, 0.5, 0.4, 0.4];
      alter = (output, kind) => {
        if (kind === 'training') return output;
        return { ...output, metrics: { score: values[Math.floor(passes++ / 2 + 0.5)]! } };
      };
      const result = await run(experiment({ earlyStoppingMonitor: 'val_score', earlyStoppingMode: 'min' }, altered));
      expect(result.bestEpoch).to.equal(3);
    });
  });

  describe('of a dataset with a preprocessor', () => {
    for (const [what, item, message] of [
      ['nothing', undefined, /Dataset\.get\(\d+\) returned undefined; expected the item/],
      [
        'a promise',
        Promise.resolve({}),
        /Dataset\.get\(\d+\) returned a promise, so Preprocessor\.fit is to .*'for await'/,
      ],
    ] as const) {
      it(what, async () => {
        class Bad extends Dataset {
          override get(): Batch {
            return item as unknown as Batch;
          }
        }
        class Preprocessor extends Unchanged {
          override fit(items: Iterable<Batch>): void {
            for (const { x } of items) x.sum();
          }
        }
        registerPlugin({ name: 'bad', Model: Altered, Dataset: Bad, Preprocessor });
        const failure = await failureOf(run(experiment({}, { ...altered, datasetPlugin: 'bad' })));
        expect(failure).to.include({ code: 'PLUGIN_INVALID' });
        expect(failure.message).to.match(message);
      });
    }

    for (const [what, batch, message, code] of [
      [
        'batches with nothing in them',
        [undefined],
        /Dataset\.getBatch, for \d+, returned undefined; expected the item/,
        'PLUGIN_INVALID',
      ],
      [
        'a promise of too few',
        Promise.resolve([]),
        /Dataset: getBatch returned an array of 0, expected an array of \d+ samples/,
        'INVALID_ARGUMENT',
      ],
    ] as const) {
      it(what, async () => {
        class Bad extends Dataset {
          override getBatch(indices: readonly number[]): Batch[] {
            return (Array.isArray(batch) ? indices.map(() => undefined) : batch) as unknown as Batch[];
          }
        }
        registerPlugin({ name: 'bad', Model: Altered, Dataset: Bad, Preprocessor: Unchanged });
        const failure = await failureOf(run(experiment({}, { ...altered, datasetPlugin: 'bad' })));
        expect(failure).to.include({ code });
        expect(failure.message).to.match(message);
      });
    }
  });

  describe('of a dataset that gives batches', () => {
    for (const preprocessor of [undefined, Unchanged]) {
      it(`nothing: they train to the same loss ${preprocessor ? 'with' : 'without'} a preprocessor`, async () => {
        const batches: number[] = [];
        class AtOnce extends Dataset {
          override getBatch(indices: readonly number[]): Batch[] {
            batches.push(indices.length);
            return indices.map((index) => this.get(index));
          }
        }
        registerPlugin({ name: 'one_by_one', Model: Altered, Dataset, Preprocessor: preprocessor });
        registerPlugin({ name: 'at_once', Model: Altered, Dataset: AtOnce, Preprocessor: preprocessor });
        alter = (output) => output;
        const lossOf = async (datasetPlugin: string) =>
          (await run(experiment({ epochs: 2 }, { ...altered, datasetPlugin }))).history;
        expect(await lossOf('at_once')).to.deep.equal(await lossOf('one_by_one'));
        expect(batches).to.include.members([experiment().training.batchSize]);
      });
    }
  });

  describe('of callbacks and options', () => {
    it('a method that no event calls, also of a class', () => {
      class Late {
        onEpochFinish(): void {
          // Never called.
        }
      }
      expect(() => run(experiment(), { callbacks: [new Late() as Callback] })).to.throw(
        /'onEpochFinish', which no event calls.*onEpochEnd/,
      );
    });

    it('waits for asynchronous callbacks, and ends with the first that rejects', async () => {
      const order: string[] = [];
      const slow: Callback = {
        onBatchEnd: async ({ batch }) => {
          await new Promise((resolve) => setTimeout(resolve, 2));
          order.push(`slow ${batch}`);
        },
      };
      const next: Callback = { onBatchEnd: ({ batch }) => void order.push(`next ${batch}`) };
      let directory = '';
      const failing: Callback = {
        onRunStart: ({ runDirectory }) => void (directory = runDirectory),
        onBatchEnd: ({ batch }) => (batch === 2 ? Promise.reject(new Error('no disk')) : undefined),
      };
      const failure = await failureOf(run(experiment(), { callbacks: [slow, next, failing] }));
      expect(failure.message).to.equal('no disk');
      expect(order).to.deep.equal(['slow 1', 'next 1', 'slow 2', 'next 2']);
      expect(linesOf(directory).at(-1)).to.include({ kind: 'finish', status: 'FAILED' });
    });

    it('an option that there is none of', () => {
      expect(() => run(experiment(), { callback: [] } as OrchestratorOptions)).to.throw(
        /no option 'callback'.*Did you mean 'callbacks'/,
      );
    });
  });

  describe('of the disk', () => {
    it('a folder that is gone ends the run with an error', async () => {
      const gone: Callback = {
        onRunStart: ({ runDirectory }) => rmSync(runDirectory, { recursive: true }),
      };
      const failure = await failureOf(run(experiment({}, altered), { callbacks: [gone] }));
      expect(failure).to.include({ code: 'TRAINING_FAILED' });
      expect(failure.message).to.match(/folder .* is gone/);
    });
  });

  describe('where a plugin lies', () => {
    it('finds it again from a run’s folder outside its project', async () => {
      const project = path.join(folder, 'project');
      const plugin = path.join(project, 'plugins', 'plain');
      mkdirSync(plugin, { recursive: true });
      writeFileSync(path.join(project, 'package.json'), '{}');
      writeFileSync(
        path.join(plugin, 'model.ts'),
        `import { BaseModel, nn } from 'aiforge';
         export class Model extends BaseModel<object, any> {
           layer = new nn.Linear(2, 2);
           forward(x: any) { return this.layer.forward(x); }
           trainingStep(batch: any) {
             const predictions = this.forward(batch.x);
             return { loss: this.lossFn.forward(predictions, batch.labels), predictions };
           }
           validationStep(batch: any) { return this.trainingStep(batch); }
         }`,
      );
      writeFileSync(
        path.join(plugin, 'dataset.ts'),
        `import { BaseDataset, tensor } from 'aiforge';
         export class Dataset extends BaseDataset<any> {
           get length() { return 20; }
           get(i: number) { return { x: tensor([i / 20, 1 - i / 20]), labels: tensor(i > 9 ? 1 : 0) }; }
           loadData() {}
         }`,
      );
      const config = experiment({ epochs: 1 }, { modelPlugin: 'plain', datasetPlugin: 'plain' });
      const result = await run(config, { from: project });
      const [answer] = loadRun(result.runDirectory).classify([{ x: tensor([0.1, 0.9]), labels: tensor(0) }]);
      expect(answer!.probabilities).to.have.length(2);
      const again = loadExperimentConfig(path.join(result.runDirectory, 'config.yaml'));
      expect((await run(again, { from: result.runDirectory })).status).to.equal('finished');
    });
  });
});
