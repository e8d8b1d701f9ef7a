import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import {
  BasePreprocessor,
  evaluateRun,
  getRngState,
  loadRun,
  manualSeed,
  registerPlugin,
  type EvaluationScores,
  type RunResult,
} from 'aiforge';
import { expect } from 'chai';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, Config, Dataset, experiment, linesOf, Model, runIn, type Batch } from './lab.mjs';

/** What validation measured in the epoch of the best weights, without `val_`. */
function recordedBest({ runDirectory, bestEpoch }: RunResult): Record<string, number> {
  const { metrics } = linesOf(runDirectory).find(({ interval, epoch }) => interval === 'epoch' && epoch === bestEpoch)!;
  const entries = Object.entries(metrics!).filter(([name]) => name.startsWith('val_'));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(4), value]));
}

const valuesOf = ({ loss, metrics }: EvaluationScores): Record<string, number> => ({ loss, ...metrics });

/** Every file of a folder with its content and the time of its last change. */
function stateOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => path.join(folder, name))
    .map((file) => {
      const stats = statSync(file);
      const content = stats.isFile() ? createHash('sha256').update(readFileSync(file)).digest('hex') : '';
      return `${file} ${stats.mtimeMs} ${content}`;
    });
}

/** Scales points by what it saw. */
class Scaled extends BasePreprocessor<Batch, Batch> {
  #scale = 1;
  fit(items: Iterable<Batch>): void {
    for (const { x } of items) this.#scale = Math.max(this.#scale, x.abs().max().item<number>());
  }
  transform({ x, labels }: Batch): Batch {
    return { x: x.div(this.#scale), labels };
  }
  inverseTransform(batch: Batch): Batch {
    return batch;
  }
  state(): unknown {
    return this.#scale;
  }
  restore(scale: unknown): void {
    this.#scale = scale as number;
  }
}
/** Its weights are right with the first draw that its constructor made and that no file holds. */
class Drawn extends Model {
  constructor(config: ConstructorParameters<typeof Model>[0]) {
    super(config);
    this.registerBuffer('drawn', this.head.weight.detach().clone(), { persistent: false });
  }
  override forward(x: Batch['x']): Batch['x'] {
    return super.forward(x).add((this as unknown as { drawn: Batch['x'] }).drawn.sum());
  }
  override validationStep(batch: Batch): ReturnType<Model['validationStep']> {
    const { loss, predictions } = super.validationStep(batch);
    return { loss, predictions: predictions!, metrics: { first: predictions!.select(1, 0).mean() } };
  }
  override trainingStep(batch: Batch): ReturnType<Model['trainingStep']> {
    return super.trainingStep(batch);
  }
}
class Shifted extends Dataset {
  override get(index: number): Batch {
    const { x, labels } = super.get(index);
    return { x: x.add(0.5), labels };
  }
}
registerPlugin({ name: 'evaluated', Model: Drawn, Config, Dataset, Preprocessor: Scaled });
registerPlugin({ name: 'evaluated_shifted', Dataset: Shifted, Preprocessor: Scaled });

describe('evaluateRun', function () {
  this.timeout(60_000);
  const folder = temporaryFolder('evaluate');
  const inside = (name: string) => path.join(folder, name);
  const plugins = { modelPlugin: 'evaluated', datasetPlugin: 'evaluated' };
  const codeOf = (work: () => Promise<unknown>): Promise<Error & { code?: string }> =>
    work().then(
      () => {
        throw new Error('it did not fail');
      },
      (error: Error) => error,
    );

  let run: RunResult;
  before(async () => {
    run = await runIn(inside('one'), experiment({ checkpoint: { topK: 2 } }, plugins));
  });

  for (const [name, training] of Object.entries({
    'the weights': {},
    'exponential averages': { averaging: { method: 'ema', decay: 0.9 } },
    'averages over epochs': { averaging: { method: 'swa', startEpoch: 2 } },
    'a share of the batches': { limitValBatches: 1, limitTestBatches: 1 },
    'samples to train on': { overfitBatches: 2 },
    bfloat16: { precision: 'bfloat16' },
    'steps of fastDevRun': { fastDevRun: 2 },
  })) {
    it(`gives what the best epoch was recorded with, to the last bit: ${name}`, async () => {
      const trained = await runIn(inside(name.replaceAll(' ', '-')), experiment(training, plugins));
      const { runDirectory } = trained;
      expect(valuesOf(await evaluateRun(runDirectory, { split: 'val' }))).to.deep.equal(recordedBest(trained));
      expect(await evaluateRun(runDirectory, { split: 'test' })).to.deep.equal(trained.test);
      expect(trained.test!.metrics).to.have.property('first');
    });
  }

  it('takes other weights, of the run’s folder, and the model’s part of a checkpoint', async () => {
    const { runDirectory } = run;
    const { kept } = loadCheckpoint(path.join(runDirectory, 'last.safetensors')).state;
    expect(kept.length).to.be.greaterThan(0);
    for (const { file, value } of kept) {
      for (const weights of [
        path.join('checkpoints', path.basename(file)),
        path.join(runDirectory, 'checkpoints', path.basename(file)),
      ]) {
        // prettier-ignore
        expect((await evaluateRun(runDirectory, { split: 'val', weights })).loss).to.equal(value);
      }
    }
    const { val_loss: last } = linesOf(runDirectory).findLast(({ interval }) => interval === 'epoch')!.metrics!;
    expect((await evaluateRun(runDirectory, { split: 'val', weights: 'last.safetensors' })).loss).to.equal(last);
    const { head } = loadRun(runDirectory, { weights: 'last.safetensors' }).model as Model;
    const { model } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    expect(head.weight.tolist()).to.deep.equal(model['head.weight']!.tolist());
  });

  it('takes the last checkpoint of a run that was interrupted before its first epoch ended', async () => {
    const { runDirectory, status } = await runIn(inside('cut'), experiment({}, plugins), abortAt(1, 4));
    expect(status).to.equal('interrupted');
    const { code, message } = await codeOf(() => evaluateRun(runDirectory, { split: 'test' }));
    expect(code).to.equal('FILE_NOT_FOUND');
    expect(message).to.match(/has no best\.safetensors: none of its epochs was finished\. It has last\.safetensors\./);
    const { loss } = await evaluateRun(runDirectory, { split: 'test', weights: 'last.safetensors' });
    expect(loss).to.be.a('number').and.not.NaN;
  });

  it('changes nothing: not the run’s folder, not the random state of who calls it', async () => {
    const before = stateOf(run.runDirectory);
    manualSeed(11);
    const drawn = getRngState().tolist();
    await evaluateRun(run.runDirectory, { split: 'test' });
    expect(getRngState().tolist()).to.deep.equal(drawn);
    expect(stateOf(run.runDirectory)).to.deep.equal(before);
  });

  it('tells callbacks of the stage and its batches', async () => {
    const told: string[] = [];
    const callback = {
      onRunStart: () => void told.push('run'),
      onStageStart: ({ stage, epoch, batches }: { stage: string; epoch: number; batches: number }) => void told.push(`${stage} of epoch ${epoch}: ${batches}`), // prettier-ignore
      onBatchEnd: ({ batch, samples }: { batch: number; samples: number }) => void told.push(`${batch}: ${samples}`),
      onStageEnd: ({ metrics, interrupted }: { metrics: object; interrupted: boolean }) => void told.push(`${Object.keys(metrics).join()} ${interrupted}`), // prettier-ignore
    };
    await evaluateRun(run.runDirectory, { split: 'val', callbacks: [callback] });
    const names = 'val_loss,val_accuracy,val_f1,val_first false';
    expect(told).to.deep.equal([`validation of epoch ${run.bestEpoch}: 2`, '1: 8', '2: 10', names]);
  });

  it('applies settings of the data and of the process, and refuses all others with the reason', async () => {
    const { runDirectory } = run;
    const few = await evaluateRun(runDirectory, { split: 'test', overrides: ['training.limitTestBatches=1'] });
    expect(few.confusion!.flat().reduce((a, b) => a + b)).to.equal(8);
    const other = await evaluateRun(runDirectory, { split: 'test', overrides: ['training.batchSize=3', 'training.device=cpu'] }); // prettier-ignore
    expect(other.loss).to.be.closeTo(run.test!.loss, 1e-6);
    expect(other.confusion).to.deep.equal(run.test!.confusion);
    for (const [override, reason] of [
      ['training.seed=5', /training\.seed was 42 and cannot become 5: every random draw/],
      ['training.epochs=9', /training\.epochs was 3 and cannot become 9: it has no effect here/],
      ['model.dropout=0.9', /model\.dropout was 0\.3 and cannot become 0\.9: the run was made with it/],
      ['datasetPlugin=evaluated_shifted', /datasetPlugin was "evaluated" and cannot become/],
      ['training.limitValBatches=1', /training\.limitValBatches was null and cannot become 1/],
      ['training.batchSise=4', /Override 'training\.batchSise=4'.*batchSize/],
    ] as const) {
      const { code, message } = await codeOf(() => evaluateRun(runDirectory, { split: 'test', overrides: [override] }));
      expect(code, override).to.equal('CONFIG_INVALID');
      expect(message).to.match(reason);
    }
  });

  it('refuses weights that were trained with another preprocessor, that are not there or are damaged', async () => {
    const other = await runIn(inside('other'), experiment({ epochs: 1 }, { ...plugins, datasetPlugin: 'evaluated_shifted' })); // prettier-ignore
    const foreign = path.join(other.runDirectory, 'best.safetensors');
    const failure = (weights: string) => codeOf(() => evaluateRun(run.runDirectory, { split: 'val', weights }));
    expect(await failure(foreign)).to.include({ code: 'FILE_INVALID' });
    expect((await failure(foreign)).message).to.include('trained with another preprocessor');
    const missing = await failure('bets.safetensors');
    expect(missing).to.include({ code: 'FILE_NOT_FOUND' });
    expect(missing.message).to.include("Did you mean 'best.safetensors'?");
    const cut = inside('cut.safetensors');
    copyFileSync(path.join(run.runDirectory, 'log.jsonl'), cut);
    expect(await failure(cut)).to.include({ code: 'FILE_INVALID' });
    expect(await codeOf(() => evaluateRun(folder, { split: 'val' }))).to.include({ code: 'FILE_NOT_FOUND' });
  });

  it('ends at the next batch when it is asked to, with the reason where that is an error', async () => {
    for (const [reason, expected] of [
      ['SIGTERM', { code: 'RUN_INTERRUPTED' }],
      [new Error('too late'), { message: 'too late' }],
    ] as const) {
      const controller = new AbortController();
      let batches = 0;
      const callbacks = [{ onBatchEnd: () => (++batches, controller.abort(reason)) }];
      const work = () => evaluateRun(run.runDirectory, { split: 'val', callbacks, signal: controller.signal });
      expect(await codeOf(work)).to.include(expected);
      expect(batches).to.equal(1);
    }
  });

  it('refuses a split without samples, options that it does not know, and a second run beside it', async () => {
    const { runDirectory } = await runIn(inside('no-test'), experiment({ epochs: 1, testFraction: 0 }, plugins));
    const none = await codeOf(() => evaluateRun(runDirectory, { split: 'test' }));
    expect(none).to.include({ code: 'CONFIG_INVALID' });
    expect(none.message).to.include('no samples to test on');
    const ask = (options: object) => codeOf(() => evaluateRun(runDirectory, options as { split: 'val' }));
    expect((await ask({})).message).to.include('split must be given');
    expect((await ask({ split: 'vall' })).message).to.include("split must be 'val' or 'test'");
    expect((await ask({ split: 'val', weigths: 'x' })).message).to.include("Did you mean 'weights'?");
    const both = [1, 2].map(() => evaluateRun(runDirectory, { split: 'val' }));
    const results = await Promise.allSettled(both);
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected']);
    expect((await evaluateRun(runDirectory, { split: 'val' })).loss).to.be.greaterThan(0);
  });
});
