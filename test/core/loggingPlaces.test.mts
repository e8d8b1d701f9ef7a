import { setTimeout } from 'node:timers/promises';

import {
  evaluateRun,
  loadRun,
  lrFind,
  nn,
  prepareExperiment,
  readSettings,
  registerPlugin,
  zeros,
  BaseModel,
  type Callback,
  type StepOutput,
  type Tensor,
} from 'aiforge';
import { Accuracy } from 'aiforge/metrics';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, Config, Dataset, experiment, failureOf, linesOf, Model, runIn, type Batch } from './lab.mjs';

/** A model of its own, which measures itself. */
class Inner extends BaseModel<object, Batch> {
  rights = new Accuracy({ task: 'multiclass', numClasses: 2 });

  forward(x: Tensor): Tensor {
    return x;
  }
  trainingStep(): never {
    throw new Error('it is a part');
  }
  validationStep(): never {
    throw new Error('it is a part');
  }

  measure(predictions: Tensor, labels: Tensor, name: string): void {
    this.rights.update(predictions, labels);
    this.log(`${name}_rights`, this.rights);
    this.log(`${name}_first`, predictions.at(0, 0), { onStep: true });
    this.logDict({ [`${name}_one`]: 1, [`${name}_two`]: 2 });
    this.logText(`${name}_text`, 'said');
    this.logImage(`${name}_image`, zeros([2, 2]));
    this.logHistogram(`${name}_histogram`, predictions);
  }
}

/** Has models within it, one of them in a list. */
class Outer extends Model {
  frozenPart = new Inner({}).eval();
  heads = new nn.ModuleList([new Inner({})]);

  override train(mode = true): this {
    super.train(mode);
    this.frozenPart.eval();
    return this;
  }

  override trainingStep(batch: Batch): StepOutput {
    const output = super.trainingStep(batch);
    this.frozenPart.measure(output.predictions!, batch.labels, 'frozen');
    this.heads.at(0).measure(output.predictions!, batch.labels, 'head');
    return output;
  }
}
registerPlugin({ name: 'log_outer', Model: Outer, Dataset, Config });
const outer = (training: object = {}) => experiment(training, { modelPlugin: 'log_outer', datasetPlugin: 'log_outer' });

describe('log in an inner model', () => {
  const folder = temporaryFolder('inner-logging');

  it('is recorded with the step that calls it', async () => {
    const { history, runDirectory, test } = await runIn(folder, outer());
    for (const epoch of history) {
      for (const name of ['frozen', 'head']) {
        expect(epoch).to.include({ [`train_${name}_one`]: 1, [`val_${name}_two`]: 2 });
        expect(epoch[`train_${name}_rights`]).to.be.closeTo(epoch.train_accuracy!, 1e-6);
        expect(epoch[`val_${name}_rights`]).to.be.closeTo(epoch.val_accuracy!, 1e-6);
      }
    }
    expect(test!.metrics.head_rights).to.be.closeTo(test!.metrics.accuracy!, 1e-6);
    const lines = linesOf(runDirectory) as unknown as {
      kind: string;
      name?: string;
      interval?: string;
      metrics: object;
    }[];
    expect(lines.find(({ interval }) => interval === 'step')!.metrics).to.include.keys('train_frozen_first_step');
    for (const kind of ['text', 'image', 'histogram']) {
      const names = lines.filter((line) => line.kind === kind).map(({ name }) => name);
      expect(names, kind).to.include.members([`train_frozen_${kind}`, `val_head_${kind}`, `test_head_${kind}`]);
    }
  });

  it('goes on within an epoch with the states of its metrics', async () => {
    const whole = await runIn(folder, outer());
    const cut = await runIn(folder, outer(), abortAt(2, 4));
    const resumed = await runIn(folder, outer({ resumeFrom: cut.runDirectory }));
    expect(resumed.history).to.deep.equal(whole.history.slice(1));
    expect(bytesOf(resumed.runDirectory)).to.equal(bytesOf(whole.runDirectory));
  });

  it('refuses a name that the model has logged too', async () => {
    class Twice extends Model {
      inner = new Inner({});
      override trainingStep(batch: Batch): StepOutput {
        this.log('same', 1);
        this.inner.log('same', 2);
        return super.trainingStep(batch);
      }
    }
    registerPlugin({ name: 'log_twice', Model: Twice, Dataset, Config });
    const config = experiment({}, { modelPlugin: 'log_twice', datasetPlugin: 'log_twice' });
    const { code, message } = await failureOf(runIn(folder, config));
    expect(code).to.equal('PLUGIN_INVALID');
    expect(message).to.match(/'same' twice in one step: .*; 'Inner' is an inner model/);
  });

  it('is recorded once where activations are computed again', async () => {
    class Part extends BaseModel<object, Batch> {
      line = new nn.Linear(4, 4);
      trainingStep = undefined as never;
      validationStep = undefined as never;
      forward(x: Tensor): Tensor {
        this.log('width', x.size(1));
        return this.line.forward(x).tanh();
      }
    }
    class Checkpointed extends Model {
      part = new Part({});
      override forward(x: Tensor): Tensor {
        return super.forward(this.part.forward(x));
      }
    }
    registerPlugin({ name: 'log_again', Model: Checkpointed, Dataset, Config });
    const config = experiment(
      { epochs: 1, activationCheckpointing: ['part'] },
      { modelPlugin: 'log_again', datasetPlugin: 'log_again' },
    );
    expect((await runIn(folder, config)).history[0]).to.include({ train_width: 4, val_width: 4 });
  });
});

describe('log outside a step', () => {
  const folder = temporaryFolder('logging-places');
  const refused =
    /was given 'a' outside a step, while a run with the model is under way: .* trainingStep or validationStep/;
  let model: Model;
  const taking: Callback = { onRunStart: (start) => void (model = start.model as Model) };

  for (const [name, log] of [
    ['log', (at: Model) => at.log('a', 1)],
    ['logDict', (at: Model) => at.logDict({ a: 1 })],
    ['logText', (at: Model) => at.logText('a', 'b')],
    ['logImage', (at: Model) => at.logImage('a', zeros([2, 2]))],
    ['logHistogram', (at: Model) => at.logHistogram('a', zeros([2]))],
  ] as const) {
    it(`refuses ${name} in a callback`, async () => {
      const callback: Callback = { onEpochEnd: () => log(model) };
      const { code, message } = await failureOf(runIn(folder, experiment(), { callbacks: [taking, callback] }));
      expect(code).to.equal('PLUGIN_INVALID');
      expect(message).to.match(refused);
    });
  }

  for (const event of [
    'onRunStart',
    'onStageStart',
    'onForwardEnd',
    'onBackwardEnd',
    'onBatchEnd',
    'onRunEnd',
  ] as const) {
    it(`refuses it in ${event}`, async () => {
      const { message } = await failureOf(
        runIn(folder, experiment(), { callbacks: [taking, { [event]: () => model.log('a', 1) }] }),
      );
      expect(message).to.match(refused);
    });
  }

  it('refuses it in a constructor and in a promise after a step, also in an inner model', async () => {
    class Early extends Model {
      constructor(config: ConstructorParameters<typeof Model>[0]) {
        super(config);
        this.log('a', 1);
      }
    }
    registerPlugin({ name: 'log_early', Model: Early, Dataset, Config });
    const early = experiment({}, { modelPlugin: 'log_early', datasetPlugin: 'log_early' });
    expect((await failureOf(runIn(folder, early))).message).to.match(refused);

    const failures: unknown[] = [];
    class Late extends Model {
      inner = new Inner({});
      override trainingStep(batch: Batch): StepOutput {
        void Promise.resolve().then(() => this.inner.log('a', 1)).catch((error: unknown) => failures.push(error)); // prettier-ignore
        return super.trainingStep(batch);
      }
    }
    registerPlugin({ name: 'log_late', Model: Late, Dataset, Config });
    await runIn(folder, experiment({ epochs: 1 }, { modelPlugin: 'log_late', datasetPlugin: 'log_late' }));
    expect(failures).not.to.have.length(0);
    expect(String(failures[0])).to.match(refused);
  });

  it('refuses it in a callback of an evaluation, and while a learning rate is looked for', async () => {
    const owns: BaseModel[] = [];
    class Known extends Model {
      override validationStep(batch: Batch): StepOutput {
        owns.push(this);
        return super.validationStep(batch);
      }
    }
    registerPlugin({ name: 'log_known', Model: Known, Dataset, Config });
    const config = experiment({ epochs: 1 }, { modelPlugin: 'log_known', datasetPlugin: 'log_known' });
    const { runDirectory } = await runIn(folder, config);
    const error = await evaluateRun(runDirectory, { split: 'val', callbacks: [{ onBatchEnd: () => owns.at(-1)!.log('a', 1) }] })
      .then(() => undefined, (thrown: Error) => thrown); // prettier-ignore
    expect(error?.message).to.match(refused);
    expect(() => owns.at(-1)!.log('a', 1), 'afterwards').not.to.throw();

    const prepared = await prepareExperiment(config, { settings: readSettings({ RUNS_DIR: folder }) });
    const finding = lrFind(prepared, { steps: 12 });
    await setTimeout(0);
    expect(() => prepared.model.log('a', 1)).to.throw(refused);
    await finding;
    expect(() => prepared.model.log('a', 1), 'afterwards').not.to.throw();
  });

  it('allows it where no run goes on, also after one that failed, and in a model of no run', async () => {
    const other = new Model({ dropout: 0, classes: 2 });
    await runIn(folder, experiment({ epochs: 1 }), { callbacks: [taking, { onEpochEnd: () => other.log('a', 1) }] });
    expect(() => model.log('a', 1)).not.to.throw();
    const failing: Callback = {
      onEpochEnd: () => {
        throw new Error('power cut');
      },
    };
    await failureOf(runIn(folder, experiment(), { callbacks: [taking, failing] }));
    expect(() => model.log('a', 1)).not.to.throw();
  });

  it('goes on where a model that logs answers, or its batches are counted or looked at again', async () => {
    class Answering extends Model {
      override forward(x: Tensor): Tensor {
        this.log('width', x.size(1));
        return super.forward(x);
      }
    }
    registerPlugin({ name: 'log_answering', Model: Answering, Dataset, Config });
    const answering = (training: object) => experiment(training, { modelPlugin: 'log_answering', datasetPlugin: 'log_answering' }); // prettier-ignore
    const averaged = answering({ epochs: 2, averaging: { method: 'swa', startEpoch: 1 } });
    const { runDirectory, history } = await runIn(folder, averaged);
    expect(history[1]).to.include({ train_width: 4, val_width: 4 });
    const answer = loadRun<Batch>(runDirectory).predict([{ x: zeros([4]) } as Batch]);
    expect(answer.shape).to.deep.equal([1, 2]);
    const { message } = await failureOf(runIn(folder, answering({ learningRate: 1e30, optimizerName: 'SGD' })));
    expect(message)
      .to.match(/The loss is (NaN|Infinity)/)
      .and.not.to.match(/outside a step/);
  });
});

describe('lossFn', () => {
  it('is set by a run of its own model alone, which an inner one says', () => {
    const inner = new Inner({});
    expect(() => inner.lossFn.forward(zeros([1]), zeros([1]))).to.throw(
      /lossFn is not set.*training.lossFnName.*own model alone.*inner\.lossFn = new nn/,
    );
    expect([...inner.children()]).to.deep.equal([]);
    inner.lossFn = new nn.MSELoss();
    expect([...inner.namedChildren()].map(([name]) => name)).to.deep.equal(['loss_fn']);
    expect(inner.lossFn.forward(zeros([1]), zeros([1])).item()).to.equal(0);
    const registering = new Inner({});
    registering.registerModule('lossFn', new nn.L1Loss());
    expect(registering.lossFn).to.be.instanceOf(nn.L1Loss);
    expect(new Inner({}).lossFn).not.to.be.instanceOf(nn.L1Loss);
  });
});
