import {
  nn,
  registerPlugin,
  type AiforgeError,
  tensor,
  zeros,
  type BatchEnd,
  type StepOutput,
  type Tensor,
} from 'aiforge';
import { Metric, MetricCollection } from 'aiforge/metrics';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, Config, Dataset, experiment, failureOf, linesOf, Model, runIn, type Batch } from './lab.mjs';

/** The share of right answers, with all answers in a list beside. */
class Rights extends Metric {
  constructor() {
    super();
    this.addState('rights', zeros([], { dtype: 'int64' }), 'sum');
    this.addState('answers', [], 'cat');
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    const answers = predictions.argmax(1);
    this.add('rights', answers.eq(targets).sum());
    this.append('answers', answers);
  }

  protected override result(): Tensor {
    return this.state('rights').div(this.state('answers').numel());
  }
}

/** The first coordinate of each sample of an epoch's training batches. */
const batches: number[][] = [];

class Logging extends Model {
  override trainingStep(batch: Batch): StepOutput {
    const first = batch.x.select(1, 0);
    if (this.training) batches.push(first.tolist<number[]>());
    this.log('first', first.mean(), { onStep: true, progressBar: true });
    this.log('least', first.min(), { reduce: 'min' });
    this.log('most', first.max().item<number>(), { reduce: 'max' });
    this.log('samples', batch.x.size(0), { reduce: 'sum' });
    this.log('stepOnly', batches.length, { onStep: true, onEpoch: false });
    if (batch.x.size(0) < 8) this.log('rare', 3);
    return { ...super.trainingStep(batch), metrics: { returned: 1 } };
  }
}
/** Measures by metrics of its own, of training and of validation. */
class Measuring extends Model {
  trainAccuracy = new Rights();
  accuracy = new Rights();
  inner = Object.assign(new nn.Identity(), { all: new Rights() });

  override trainingStep(batch: Batch): StepOutput {
    const output = super.trainingStep(batch);
    const metric = this.training ? this.trainAccuracy : this.accuracy;
    metric.update(output.predictions!, batch.labels);
    this.inner.all.update(output.predictions!, batch.labels);
    this.log('rights', metric);
    this.log('all', this.inner.all, { onEpoch: true });
    return output;
  }
}
registerPlugin({ name: 'measuring', Model: Measuring, Dataset, Config });
registerPlugin({ name: 'logging', Model: Logging, Dataset, Config });

const logged = (training: object = {}) => experiment(training, { modelPlugin: 'logging', datasetPlugin: 'logging' });

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** A run of a model whose every step does something. */
function runOf(name: string, step: (model: Model, batch: Batch) => void) {
  class Faulty extends Model {
    override trainingStep(batch: Batch): StepOutput {
      step(this, batch);
      return super.trainingStep(batch);
    }
  }
  registerPlugin({ name, Model: Faulty, Dataset, Config });
  return experiment({ epochs: 1 }, { modelPlugin: name, datasetPlugin: name });
}

describe('log', () => {
  const folder = temporaryFolder('logging');
  beforeEach(() => batches.splice(0));

  it('records values of each epoch by how they are reduced, of training, validation and test', async () => {
    const { history, test } = await runIn(folder, logged());
    const first = batches.slice(0, 11).flat();
    const epoch = history[0]!;
    expect(epoch.train_first).to.be.closeTo(mean(first), 1e-6);
    expect(epoch.train_least).to.equal(Math.min(...first));
    expect(epoch.train_most).to.equal(Math.max(...first));
    expect(epoch.train_samples).to.equal(84);
    expect(epoch.train_rare, 'of the batches that logged it').to.equal(3);
    expect(epoch.train_returned).to.equal(1);
    expect(epoch).to.include.keys('val_first', 'val_least', 'val_most').and.not.to.include.keys('train_stepOnly');
    expect(epoch.val_samples).to.equal(10);
    expect(test!.metrics).to.include.keys('first', 'most').and.to.include({ samples: 10 });
  });

  it('records a step’s own values with it', async () => {
    const { runDirectory } = await runIn(folder, logged({ epochs: 1, accumulationSteps: 2 }));
    const steps = linesOf(runDirectory).filter(({ interval }) => interval === 'step');
    expect(steps).to.have.lengthOf(6);
    // Those of the last batch of each step of the optimizer.
    expect(steps.map(({ metrics }) => metrics!.train_stepOnly_step)).to.deep.equal([2, 4, 6, 8, 10, 11]);
    expect(steps[0]!.metrics!.train_first_step).to.be.closeTo(mean(batches[1]!), 1e-6);
    expect(steps[0]!.metrics).not.to.include.keys('train_least_step');
  });

  it('shows what is to be shown, of the epoch so far', async () => {
    const steps: Record<string, number>[] = [];
    await runIn(folder, logged({ epochs: 1 }), { callbacks: [{ onBatchEnd: (step: BatchEnd) => void steps.push(step.logged) }] }); // prettier-ignore
    expect(Object.keys(steps[0]!)).to.deep.equal(['first']);
    expect(steps[1]!.first).to.be.closeTo(mean(batches.slice(0, 2).flat()), 1e-6);
  });

  it('goes on within an epoch as if it had never stopped', async () => {
    const whole = await runIn(folder, logged());
    const cut = await runIn(folder, logged(), abortAt(2, 4));
    const resumed = await runIn(folder, logged({ resumeFrom: cut.runDirectory }));
    expect(resumed.history).to.deep.equal(whole.history.slice(1));
    expect(bytesOf(resumed.runDirectory)).to.equal(bytesOf(whole.runDirectory));
  });

  it('gives what can be watched', async () => {
    const { bestEpoch, history } = await runIn(
      folder,
      logged({ earlyStoppingMonitor: 'val_most', earlyStoppingMode: 'max' }),
    );
    expect(bestEpoch).to.equal(1);
    expect(history).to.have.lengthOf(3);
    const { message } = await failureOf(
      runIn(folder, logged({ earlyStoppingMonitor: 'val_mots', earlyStoppingMode: 'min' })),
    );
    expect(message).to.match(/Did you mean 'val_most'/);
  });

  it('refuses what it cannot record', async () => {
    const wrong: [string, (model: Model, batch: Batch) => void, RegExp][] = [
      ['collection', (model) => model.log('a', new MetricCollection([new Rights()]) as never), /log was given a MetricCollection as 'a': .* log each of them/], // prettier-ignore
      ['twice', (model) => [1, 2].forEach((value) => model.log('a', value)), /'a' twice in one step/],
      ['reserved', (model) => model.log('loss', 1), /'loss', which the framework computes/],
      ['name', (model) => model.log('a b', 1), /'a b'; expected a name/],
      ['nowhere', (model) => model.log('a', 1, { onEpoch: false }), /'a' nowhere/],
      ['whole', (model, { x }) => model.log('a', x), /value must be a number or a tensor of one element or a Metric, got float32\[8, 4\]/], // prettier-ignore
      [
        'option',
        (model) => model.log('a', 1, { on_step: true } as never),
        /no option 'on_step'. Did you mean 'onStep'/,
      ],
      ['reduce', (model) => model.log('a', 1, { reduce: 'median' as never }), /reduce must be 'mean', 'sum', 'min' or 'max'/], // prettier-ignore
    ];
    for (const [name, step, said] of wrong) {
      const { message } = await failureOf(runIn(folder, runOf(`logs_${name}`, step)));
      expect(message, name).to.match(said);
    }
    let reduce: 'sum' | 'max' = 'sum';
    const changing = runOf('logs_changing', (model) => {
      model.log('a', 1, { reduce });
      if (model.training) reduce = 'max';
    });
    expect((await failureOf(runIn(folder, changing))).message).to.match(/'a' was logged with reduce 'sum' and then with 'max'/); // prettier-ignore
  });

  it('refuses two names that would be recorded under one', async () => {
    const stepwise = (model: Model) => model.log('a', 1, { onStep: true });
    const epochwise = (model: Model) => model.log('a_step', 5);
    let batch = 0;
    const wrong: [string, (model: Model) => void][] = [
      ['first', (model) => [stepwise, epochwise].forEach((log) => log(model))],
      ['last', (model) => [epochwise, stepwise].forEach((log) => log(model))],
      ['apart', (model) => (model.training && ++batch > 1 ? stepwise : epochwise)(model)],
    ];
    for (const [name, step] of wrong) {
      const { code, message } = (await failureOf(runIn(folder, runOf(`logs_one_${name}`, step)))) as AiforgeError;
      expect(code, name).to.equal('PLUGIN_INVALID');
      expect(message, name).to.match(/'a_step' beside 'a' with onStep: both are recorded as train_a_step/);
    }
    const loss = runOf('logs_loss_step', (model) => model.log('loss_step', 1));
    expect((await failureOf(runIn(folder, loss))).message).to.match(/'loss_step' beside the loss of each step.*train_loss_step/); // prettier-ignore
    class Returning extends Model {
      override trainingStep(batch: Batch): StepOutput {
        stepwise(this);
        return { ...super.trainingStep(batch), metrics: { a_step: 1 } };
      }
    }
    registerPlugin({ name: 'logs_returned', Model: Returning, Dataset, Config });
    const returned = experiment({}, { modelPlugin: 'logs_returned', datasetPlugin: 'logs_returned' });
    expect((await failureOf(runIn(folder, returned))).message).to.match(
      /metrics was given 'a_step' beside 'a' with onStep/,
    );
    // Names that merely look alike.
    const fine = runOf('logs_alike', (model) => {
      model.log('time_per_step', 1);
      model.log('a', 1);
      model.log('a_step', 2, { onStep: true, onEpoch: false });
    });
    expect((await runIn(folder, fine)).history[0]).to.include({ train_time_per_step: 1, train_a: 1 });
  });

  it('refuses what a step both logs and returns', async () => {
    class Both extends Model {
      override trainingStep(batch: Batch): StepOutput {
        this.log('a', 1);
        return { ...super.trainingStep(batch), metrics: { a: 1 } };
      }
    }
    registerPlugin({ name: 'logs_both', Model: Both, Dataset, Config });
    const run = runIn(folder, experiment({}, { modelPlugin: 'logs_both', datasetPlugin: 'logs_both' }));
    expect((await failureOf(run)).message).to.match(/a metric 'a', which it has logged too/);
  });

  describe('of a metric', () => {
    const measuring = (training: object = {}) => experiment(training, { modelPlugin: 'measuring', datasetPlugin: 'measuring' }); // prettier-ignore

    it('records its value over each epoch, which begins anew', async () => {
      const { history, test } = await runIn(folder, measuring());
      for (const epoch of history) {
        expect(epoch.train_rights).to.be.closeTo(epoch.train_accuracy!, 1e-6);
        expect(epoch.val_rights).to.be.closeTo(epoch.val_accuracy!, 1e-6);
        expect([epoch.train_all, epoch.val_all]).to.deep.equal([epoch.train_rights, epoch.val_rights]);
      }
      expect(test!.metrics.rights).to.be.closeTo(test!.metrics.accuracy!, 1e-6);
    });

    it('may be watched, and goes on within an epoch and within validation as if it had never stopped', async () => {
      const watched = { earlyStoppingMonitor: 'val_rights', earlyStoppingMode: 'max' };
      const whole = await runIn(folder, measuring(watched));
      for (const batch of [4, 11]) {
        const cut = await runIn(folder, measuring(watched), abortAt(2, batch));
        const resumed = await runIn(folder, measuring({ ...watched, resumeFrom: cut.runDirectory }));
        expect(resumed.history, String(batch)).to.deep.equal(whole.history.slice(1));
        expect(bytesOf(resumed.runDirectory)).to.equal(bytesOf(whole.runDirectory));
      }
    });

    it('refuses one that is not the model’s, and options that do not fit it', async () => {
      const lost = new Rights();
      const update = (model: Model, { x }: Batch) =>
        lost.update(model.forward(x), zeros([x.size(0)], { dtype: 'int64' }));
      const run = runOf('logs_lost', (model, batch) => (update(model, batch), model.log('lost', lost)));
      expect((await failureOf(runIn(folder, run))).message).to.match(/a Rights that is no property of the model: make it in the constructor, as this.lost/); // prettier-ignore
      const step = runOf('logs_onStep', (model) => model.log('lost', lost, { onStep: true }));
      expect((await failureOf(runIn(folder, step))).message).to.match(/a metric, with other options than onEpoch/);
      const never = runOf('logs_never', (model) => {
        Object.assign(model, { lost });
        lost.reset();
        model.log('lost', lost);
      });
      expect((await failureOf(runIn(folder, never))).message).to.match(/Rights.compute: no batch was given to update/);
    });
  });

  it('does nothing where no run goes on', () => {
    const model = new Logging({ dropout: 0, classes: 2 });
    model.lossFn = { forward: (predictions: never) => predictions } as never;
    expect(() => model.log('a', tensor(2))).not.to.throw();
    expect(() => model.log('loss', 1)).to.throw(/which the framework computes/);
  });
});
