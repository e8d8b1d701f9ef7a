import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { nn } from 'aiforge';
import {
  areDeterministicAlgorithmsEnabled,
  empty,
  isDeterministicAlgorithmsWarnOnlyEnabled,
  metrics,
  registerPlugin,
  tensor,
  useDeterministicAlgorithms,
  zeros,
  type StepOutput,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { bytesOf, Config, Dataset, experiment, failureOf, linesOf, Model, runIn, type Batch } from './lab.mjs';

/** Its body divides by zero in the batches that FAULTY names, from 0. */
class Faulty extends Model {
  static faulty: number[] = [];
  seen = new metrics.MeanMetric();
  count = new metrics.SumMetric();
  all = new metrics.SpearmanCorrCoef();

  override trainingStep(batch: Batch, batchIdx = 0): StepOutput {
    const [linear, norm] = [...this.body.children()] as [nn.Linear, nn.BatchNorm1d];
    const hidden = linear.forward(batch.x);
    const inner = norm.forward(Faulty.faulty.includes(batchIdx) ? hidden.div(0) : hidden);
    const predictions = this.head.forward(inner.relu());
    this.seen.update(batch.labels.float().mean());
    this.log('seen', this.seen);
    this.count.update(predictions.sum().mul(0).add(1).detach());
    this.log('count', this.count);
    this.all.update(predictions.detach().select(1, 0), batch.labels.float());
    this.log('all', this.all);
    return { loss: this.lossFn.forward(predictions, batch.labels), predictions };
  }

  override validationStep(batch: Batch): StepOutput {
    return super.trainingStep(batch);
  }
}

class BadData extends Dataset {
  override get(index: number): Batch {
    const item = super.get(index);
    return index === 3 ? { ...item, x: tensor([NaN, 0, 0, 0]) } : item;
  }
}

registerPlugin({ name: 'faulty_steps', Model: Faulty, Dataset, Config });
registerPlugin({ name: 'bad_data', Model, Dataset: BadData, Config });

const faulty = (training: object = {}) =>
  experiment({ epochs: 1, seed: 3, ...training }, { modelPlugin: 'faulty_steps', datasetPlugin: 'lab' });

describe('a loss that is not finite', () => {
  const folder = temporaryFolder('non-finite');
  const inside = (name: string) => path.join(folder, name);
  afterEach(() => void (Faulty.faulty = []));

  it('ends the run with the first module whose output is not finite', async () => {
    Faulty.faulty = [4];
    const { message } = await failureOf(runIn(inside('module'), faulty()));
    expect(message).to.match(/The loss is NaN in epoch 1, batch 5 \(step 4\)\. The first module whose output is not finite is 'body\.1' \(BatchNorm1d\)\. Training cannot go on/); // prettier-ignore
  });

  it('ends it with the batch, or the parameter, that is not', async () => {
    const config = experiment({ epochs: 1, valFraction: 0, testFraction: 0, earlyStoppingMonitor: 'train_loss' }, { modelPlugin: 'bad_data', datasetPlugin: 'bad_data' }); // prettier-ignore
    expect((await failureOf(runIn(inside('data'), config))).message).to.match(/The batch itself is not finite/);
    const large = experiment({ epochs: 2, learningRate: 1e38, optimizerName: 'SGD' });
    expect((await failureOf(runIn(inside('rate'), large))).message).to.match(/The (parameter '[\w.]+' is not finite|first module)/); // prettier-ignore
  });

  it('is left out by choice: weights, statistics and metrics are those of a run without the batch', async () => {
    Faulty.faulty = [4, 10];
    const { runDirectory, history } = await runIn(inside('skipped'), faulty({ nonFiniteLoss: 'skip' }));
    expect(history[0]!.train_loss).to.be.above(0);
    // The metrics of both kinds, those that add and those that grow.
    expect(history[0]!.train_count).to.equal(9);
    expect(history[0]!.train_all).to.be.within(-1, 1);
    const steps = linesOf(runDirectory).filter(({ interval }) => interval === 'step');
    expect(steps).to.have.length(9);
    const log = readFileSync(path.join(runDirectory, 'log.jsonl'), 'utf8');
    expect(log).to.include(
      "The first module whose output is not finite is 'body.1' (BatchNorm1d). The batch is left out.",
    );
    expect(log).to.include('Epoch 1 left out 2 batches');
    // In a window with others it counts as if it had not been.
    const windowed = await runIn(inside('window'), faulty({ nonFiniteLoss: 'skip', accumulationSteps: 11 }));
    expect(linesOf(windowed.runDirectory).filter(({ interval }) => interval === 'step')).to.have.length(1);
    expect(Number.isFinite(windowed.history[0]!.val_loss)).to.equal(true);
  });

  it('does not change a run without any', async () => {
    const [stop, skip] = [await runIn(inside('stop'), faulty()), await runIn(inside('skip'), faulty({ nonFiniteLoss: 'skip' }))]; // prettier-ignore
    expect(bytesOf(skip.runDirectory, 'best.safetensors')).to.equal(bytesOf(stop.runDirectory, 'best.safetensors'));
  });

  it('ends a run all of whose batches are left out', async () => {
    Faulty.faulty = Array.from({ length: 11 }, (_, i) => i);
    const { code, message } = (await failureOf(runIn(inside('all'), faulty({ nonFiniteLoss: 'skip' })))) as Error & { code: string }; // prettier-ignore
    expect(code).to.equal('TRAINING_FAILED');
    expect(message).to.match(
      /Nothing counted in epoch 1, .*: 11 batches were left out, .*nonFiniteLoss=ignore trains on/,
    );
  });
});

class Rooted extends Model {
  override trainingStep(batch: Batch): StepOutput {
    const output = super.trainingStep(batch);
    return { loss: output.loss.mul(0).sqrt().add(output.loss) };
  }
}

registerPlugin({ name: 'rooted', Model: Rooted, Dataset, Config });

describe('training.detectAnomaly and training.deterministic', () => {
  const folder = temporaryFolder('modes');

  it('names the call whose gradient is no number', async () => {
    const rest = { modelPlugin: 'rooted', datasetPlugin: 'lab' };
    const error = await failureOf(runIn(folder, experiment({ epochs: 1, detectAnomaly: true }, rest)));
    expect(error.message).to.match(/MulBackward1|SqrtBackward0/);
    expect(error.message).to.match(/nan/i);
  });

  it('holds for the run, with the same bits', async () => {
    let during: boolean | undefined;
    const callback = { onRunStart: () => void (during = areDeterministicAlgorithmsEnabled()) };
    const plain = await runIn(path.join(folder, 'plain'), experiment({ epochs: 1 }));
    const { runDirectory } = await runIn(path.join(folder, 'same'), experiment({ epochs: 1, deterministic: true }), { callbacks: [callback] }); // prettier-ignore
    expect(during).to.equal(true);
    expect(areDeterministicAlgorithmsEnabled()).to.equal(false);
    expect(bytesOf(runDirectory, 'best.safetensors')).to.equal(bytesOf(plain.runDirectory, 'best.safetensors'));
  });

  it('refuses an operator that has no such form, and fills memory that nobody has written', () => {
    useDeterministicAlgorithms(true);
    try {
      const put = () => zeros([3]).put_(tensor([0, 0]), tensor([1, 2]).float());
      expect(put).to.throw(/put_ does not have a deterministic implementation/);
      expect(empty([2]).isnan().all().item()).to.equal(true);
      useDeterministicAlgorithms(true, { warnOnly: true });
      expect(put().shape).to.deep.equal([3]);
      expect(isDeterministicAlgorithmsWarnOnlyEnabled()).to.equal(true);
    } finally {
      useDeterministicAlgorithms(false);
    }
  });
});
