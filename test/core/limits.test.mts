import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { registerPlugin, type RunStart, type BatchEnd } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, Config, Dataset, experiment, failureOf, linesOf, Model, runIn, type Batch } from './lab.mjs';

/** The first coordinates of the samples of each batch that was trained or validated on. */
const seen = { train: [] as string[], val: [] as string[] };

class Watching extends Model {
  override trainingStep(batch: Batch) {
    seen[this.training ? 'train' : 'val'].push(String(batch.x.select(1, 0).tolist()));
    return super.trainingStep(batch);
  }
}
registerPlugin({ name: 'watched', Model: Watching, Dataset, Config });

const watched = (training: object) => experiment(training, { modelPlugin: 'watched', datasetPlugin: 'watched' });

/** The numbers of steps, validated epochs and tests that a run recorded. */
function counts(directory: string) {
  const lines = linesOf(directory).filter(({ kind }) => kind === 'metrics');
  const validated = lines.flatMap(({ interval, epoch, metrics }) =>
    interval === 'epoch' && 'val_loss' in metrics! ? [epoch] : [],
  );
  return {
    steps: lines.filter(({ interval }) => interval === 'step').length,
    validated,
    tests: lines.filter(({ interval }) => interval === 'run').length,
  };
}

describe('limits of a run', () => {
  const folder = temporaryFolder('limits');
  beforeEach(() => {
    seen.train = [];
    seen.val = [];
  });

  it('limitTrainBatches takes other batches each epoch; a share is rounded up', async () => {
    const steps: BatchEnd[] = [];
    const { runDirectory } = await runIn(folder, watched({ limitTrainBatches: 0.2, accumulationSteps: 2 }), {
      callbacks: [{ onBatchEnd: (step) => void (step.stage === 'train' && steps.push(step)) }],
    });
    // 0.2 of 11 batches are 3: a window of two and one of the third alone.
    expect(steps.map(({ batch }) => batch)).to.deep.equal([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(steps.map(({ batches, samples }) => [batches, samples]).slice(0, 3)).to.deep.equal([[3, 8], [3, 16], [3, 24]]); // prettier-ignore
    expect(counts(runDirectory).steps).to.equal(6);
    expect(new Set(seen.train).size).to.equal(9);
  });

  it('goes on from within a limited epoch to the same bytes', async () => {
    const limits = { limitTrainBatches: 5, accumulationSteps: 2, limitValBatches: 1 };
    const whole = await runIn(folder, experiment(limits));
    const cut = await runIn(folder, experiment(limits), abortAt(2, 3));
    const resumed = await runIn(folder, experiment({ ...limits, resumeFrom: cut.runDirectory }));
    expect(bytesOf(resumed.runDirectory)).to.equal(bytesOf(whole.runDirectory));
    const refused = await failureOf(runIn(folder, experiment({ resumeFrom: cut.runDirectory, limitValBatches: null })));
    expect(refused.message).to.match(/training.limitValBatches was 1 and cannot become null/);
  });

  it('limitValBatches and limitTestBatches take the first', async () => {
    const starts: RunStart[] = [];
    const { runDirectory } = await runIn(folder, watched({ limitValBatches: 1, limitTestBatches: 0, batchSize: 4 }), {
      callbacks: [{ onRunStart: (start) => void starts.push(start) }],
    });
    expect(starts[0]!.samples).to.deep.equal({ train: 84, val: 4, test: 0 });
    expect(counts(runDirectory)).to.deep.include({ validated: [1, 2, 3], tests: 0 });
    expect(new Set(seen.val).size).to.equal(1);
  });

  it('overfitBatches trains on the same batches in their order, and validates on them', async () => {
    const { history } = await runIn(
      folder,
      watched({ overfitBatches: 2, limitTestBatches: 0, epochs: 40, learningRate: 0.05 }),
    );
    expect(new Set(seen.train).size).to.equal(2);
    expect(new Set([...seen.train, ...seen.val]).size).to.equal(2);
    expect(seen.train.slice(0, 4)).to.deep.equal([...seen.train.slice(0, 2), ...seen.train.slice(0, 2)]);
    expect(history.at(-1)!.val_loss).to.be.below(history[0]!.val_loss! / 2);
  });

  it('fastDevRun tries everything once', async () => {
    const once = await runIn(folder, watched({ fastDevRun: true, accumulationSteps: 3 }));
    expect([once.epochs, seen.train.length]).to.deep.equal([1, 1]);
    expect(counts(once.runDirectory)).to.deep.equal({ steps: 1, validated: [1], tests: 1 });
    expect(existsSync(path.join(once.runDirectory, 'best.safetensors'))).to.equal(true);
    const { runDirectory } = await runIn(folder, watched({ fastDevRun: 4 }));
    expect(counts(runDirectory)).to.deep.equal({ steps: 4, validated: [1], tests: 1 });
  });

  it('checkValEveryNEpoch leaves validation out between, but not the last', async () => {
    const scheduler = { name: 'ReduceLROnPlateau', patience: 0 };
    const rare = { epochs: 5, checkValEveryNEpoch: 2, scheduler, earlyStoppingPatience: 3 };
    const { runDirectory, history, bestEpoch } = await runIn(folder, experiment(rare));
    expect(counts(runDirectory).validated).to.deep.equal([2, 4, 5]);
    expect(history.map((metrics) => 'val_loss' in metrics)).to.deep.equal([false, true, false, true, true]);
    expect([2, 4, 5]).to.include(bestEpoch);
    const byTrain = await runIn(folder, experiment({ ...rare, scheduler: null, earlyStoppingMonitor: 'train_loss' }));
    expect(byTrain.history).to.have.lengthOf(5);
  });

  it('gradClipValue bounds each number of the gradients', async () => {
    const free = await runIn(folder, experiment({ epochs: 1, optimizerName: 'SGD' }));
    const wide = await runIn(folder, experiment({ epochs: 1, optimizerName: 'SGD', gradClipValue: 1e9 }));
    const tight = await runIn(folder, experiment({ epochs: 1, optimizerName: 'SGD', gradClipValue: 1e-4 }));
    const weights = ({ runDirectory }: { runDirectory: string }) => bytesOf(runDirectory, 'best.safetensors');
    expect(weights(wide)).to.equal(weights(free));
    expect(weights(tight)).not.to.equal(weights(free));
  });

  it('refuses limits that are none', () => {
    for (const [training, said] of [
      [{ limitTrainBatches: 0 }, /limitTrainBatches/],
      [{ limitTrainBatches: 2.5 }, /expected a whole number, or a share below 1/],
      [{ limitValBatches: -1 }, /limitValBatches/],
      [{ overfitBatches: 0 }, /overfitBatches/],
      [{ fastDevRun: 0 }, /fastDevRun/],
      [{ checkValEveryNEpoch: 0 }, /checkValEveryNEpoch/],
      [{ overfitBatches: 2, limitTrainBatches: 1 }, /overfitBatches or limitTrainBatches, not both/],
      [{ checkpoint: { keep: 2, keepLast: false } }, /expected 0 where keepLast is false/],
      [{ checkpoint: { everyEpochs: 2, keepLast: false } }, /expected nothing here where keepLast is false/],
      [{ epochs: 3, averaging: { method: 'swa', startEpoch: 5 } }, /expected at most training\.epochs/],
      [{ gradClipNorm: 1, gradClipValue: 1 }, /gradClipNorm or gradClipValue, not both/],
    ] as const) {
      expect(() => experiment(training), String(said)).to.throw(said);
    }
  });

  it('takes limits that have an effect together, and any in a trial', () => {
    experiment({ checkpoint: { keep: 2, keepLast: false, everySteps: 5 } });
    experiment({ fastDevRun: true, overfitBatches: 2, limitTrainBatches: 1 });
    experiment({ fastDevRun: true, epochs: 1, averaging: { method: 'swa', startEpoch: 5 } });
  });

  it('warns of what had no effect', async () => {
    const log = async (training: object) => {
      const { runDirectory } = await runIn(folder, experiment(training));
      return readFileSync(path.join(runDirectory, 'log.jsonl'), 'utf8');
    };
    const early = { method: 'ema', startStep: 1000 };
    expect(await log({ epochs: 1, valCheckInterval: 500, averaging: early }))
      .to.match(/training\.valCheckInterval is 500, but an epoch has 11 batches/)
      .and.to.match(
        /No weights were averaged: the run ended after 11 steps, and training\.averaging has startStep=1000/,
      );
    const stopped = { epochs: 9, earlyStoppingPatience: 1, earlyStoppingMode: 'max', averaging: { method: 'swa', startEpoch: 9 } }; // prettier-ignore
    expect(await log(stopped)).to.match(/ended after \d epochs, and training\.averaging has startEpoch=9/);
    expect(await log({ epochs: 1, valCheckInterval: 4, averaging: { method: 'ema' } })).not.to.match(/valCheckInterval is|No weights/); // prettier-ignore
  });

  it('refuses to watch what is not validated', async () => {
    const { message } = await failureOf(runIn(folder, experiment({ limitValBatches: 0 })));
    expect(message).to.match(
      /no samples to validate on: set training.valFraction above 0 and training.limitValBatches/,
    );
  });
});
