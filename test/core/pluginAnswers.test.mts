// What a plugin's code gives or throws, wherever the framework calls it.
import path from 'node:path';
import { runInThisContext } from 'node:vm';

import { AiforgeError, optim, registerPlugin, tensor, type StepOutput } from 'aiforge';
import { called } from '#lib/core/plugins/calls.js';
import { snapshot } from '#lib/core/tuning/snapshot.js';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { Dataset, experiment, failureOf, Model, runIn, Unchanged, type Batch } from './lab.mjs';

type Method = (...args: never[]) => unknown;

const bases = { Model, Dataset, Preprocessor: Unchanged };

// Code that the linter rightly refuses.
const throwsUndefined = runInThisContext('(() => { throw undefined; })') as Method;
const rejectsNull = runInThisContext('(() => Promise.reject(null))') as Method;

/** The lab's validation goes through its trainingStep. */
const withoutValidation = { valFraction: 0, testFraction: 0, earlyStoppingMonitor: 'train_loss' };

describe('what a plugin’s code gives', () => {
  const folder = temporaryFolder('answers');
  let plugins = 0;

  /** The error of a run with one method, or property, of one class replaced. */
  async function failing(part: keyof typeof bases, name: string, value: unknown, training: object = {}) {
    const Class = class extends (bases[part] as new (...args: never[]) => object) {};
    const member = typeof value === 'function' ? { value } : { get: () => value };
    Object.defineProperty(Class.prototype, name, { ...member, configurable: true });
    const plugin = `answers_${++plugins}`;
    registerPlugin({ name: plugin, ...bases, [part]: Class });
    const model = { dropout: 0, classes: 2 };
    const config = experiment({ epochs: 1, ...training }, { modelPlugin: plugin, datasetPlugin: plugin, model });
    const error = await failureOf(runIn(path.join(folder, plugin), config));
    expect(error, String(error)).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }

  it('names the object in place of optimizers(), which a step calls', () => {
    const step = runInThisContext('(function () { this.optimizers(); })') as (this: object) => void;
    expect(() => called('trainingStep', () => step.call({ optimizers: {} })))
      .to.throw(AiforgeError, /trainingStep calls this\.optimizers\(\).*write this\.optimizers, an object/)
      .with.property('cause');
  });

  for (const [method, instead] of [
    ['manual_backward', 'this.manualBackward(…)'],
    ['saveHyperparameters', 'nothing: the configuration is this.config'],
    ['lrSchedulers', 'configureScheduler(optimizer, config, length)'],
    ['log_dict', 'this.logDict(…)'],
  ] as const) {
    it(`names what there is in place of ${method}(), which a step calls`, async () => {
      // As V8 reports it, `this` is in the message.
      const step = runInThisContext(`(function () { this.${method}(); })`) as Method;
      const { code, message } = await failing('Model', 'trainingStep', step, withoutValidation);
      expect(code).to.equal('PLUGIN_INVALID');
      expect(message).to.include(`trainingStep calls this.${method}(), which `).and.to.include(`write ${instead}`);
    });
  }

  const synchronous: [part: keyof typeof bases, method: string, where: RegExp][] = [
    ['Model', 'trainingStep', /^trainingStep/],
    ['Model', 'validationStep', /^validationStep/],
    ['Model', 'configureOptimizer', /^configureOptimizer/],
    ['Model', 'configureScheduler', /^configureScheduler/],
    ['Model', 'configureLossFn', /^configureLossFn/],
    ['Dataset', 'splits', /^Dataset\.splits\(\)/],
    ['Preprocessor', 'transform', /^Preprocessor\.transform, for item \d+,/],
  ];

  for (const [part, method, where] of synchronous) {
    it(`no promise of ${part}.${method}, and what it was rejected with is told`, async () => {
      const inner = new RangeError('the disk is full');
      const training = method === 'trainingStep' ? withoutValidation : {};
      const error = await failing(part, method, () => Promise.reject(inner), training);
      expect(error.code).to.equal('PLUGIN_INVALID');
      expect(error.message)
        .to.match(where)
        .and.to.match(/returned a promise, but must be synchronous.*It was rejected: RangeError: the disk is full/s);
      expect(error.cause).to.equal(inner);
    });
  }

  for (const [part, method, where] of [
    ...synchronous,
    ['Dataset', 'get', /^Dataset\.get\(\d+\)/],
    ['Dataset', 'loadData', /^Dataset\.loadData/],
    ['Preprocessor', 'fit', /^Preprocessor\.fit/],
    ['Preprocessor', 'save', /^Preprocessor\.save/],
  ] as typeof synchronous) {
    it(`an error of ${part}.${method} says where, also when it throws undefined`, async () => {
      const error = await failing(part, method, throwsUndefined, method === 'trainingStep' ? withoutValidation : {});
      expect(error.code).to.equal('PLUGIN_INVALID');
      expect(error.message)
        .to.match(where)
        .and.to.match(/threw undefined, which is no error/);
    });
  }

  it('a rejection of loadData with null says where', async () => {
    const { message } = await failing('Dataset', 'loadData', rejectsNull);
    expect(message).to.match(/^Dataset\.loadData threw null/);
  });

  const step = (change: (output: StepOutput) => object): Method =>
    function (this: Model, batch: Batch) {
      return change(Model.prototype.trainingStep.call(this, batch));
    };

  const answers: [what: string, part: keyof typeof bases, member: string, value: unknown, message: RegExp][] = [
    ['a text as the loss', 'Model', 'configureLossFn', () => 'mse', /must return a loss: a module .*got 'mse'/],
    ['no loss', 'Model', 'configureLossFn', () => undefined, /must return a loss.*got undefined/],
    ['a text as the optimizer', 'Model', 'configureOptimizer', () => 'Adam', /must return an optimizer.*got 'Adam'/],
    [
      'a text as the scheduler',
      'Model',
      'configureScheduler',
      () => 'StepLR',
      /must return an LRScheduler.*got 'StepLR'/,
    ],
    ['no scheduler', 'Model', 'configureScheduler', () => undefined, /must return an LRScheduler.*got undefined/],
    [
      'a scheduler’s name',
      'Model',
      'configureScheduler',
      () => ({ scheduler: 'x' }),
      /scheduler must be an LRScheduler, got 'x'/,
    ],
    [
      'an interval that there is none of',
      'Model',
      'configureScheduler',
      (optimizer: never) => ({ scheduler: new optim.lrScheduler.StepLR(optimizer, 1), interval: 'batch' }),
      /interval must be 'epoch' or 'step', got 'batch'/,
    ],
    [
      'an unknown option of a scheduler',
      'Model',
      'configureScheduler',
      (optimizer: never) => ({ scheduler: new optim.lrScheduler.StepLR(optimizer, 1), monitors: 'x' }),
      /no option 'monitors'. Did you mean 'monitor'/,
    ],
    [
      'splits by other names',
      'Dataset',
      'splits',
      () => ({ train: [0], validation: [1], test: [] }),
      /got 'validation'. Did you mean 'val'/,
    ],
    ['splits without a test', 'Dataset', 'splits', () => ({ train: [0], val: [1] }), /test is missing/],
    [
      'an array of splits',
      'Dataset',
      'splits',
      () => [[0], [1], []],
      /must return \{ train, val, test \}.*got \[\[0\]/,
    ],
    ['a number in place of indices', 'Dataset', 'splits', () => ({ train: 5, val: [], test: [] }), /train is 5/],
    ['no whole indices', 'Dataset', 'splits', () => ({ train: ['0'], val: [], test: [] }), /train split has index '0'/],
    ['a negative length', 'Dataset', 'length', -1, /length is -1; expected a whole number, 0 or more/],
    ['half a sample', 'Dataset', 'length', 1.5, /length is 1\.5/],
    ['a method as length', 'Dataset', 'length', () => 3, /length is .*function.*; expected a whole number/i],
    ['a length of NaN', 'Dataset', 'length', Number.NaN, /length is NaN/],
    ['a text as class names', 'Dataset', 'classNames', 'ab', /classNames are 'ab'; expected an array of strings/],
    ['numbers as class names', 'Dataset', 'classNames', [0, 1], /classNames are \[0, 1\]/],
    [
      'too many class names',
      'Dataset',
      'classNames',
      ['a', 'b', 'c'],
      /classNames are 3 \(a, b, c\), and the model predicts 2 classes/,
    ],
    [
      'a list of metrics',
      'Model',
      'trainingStep',
      step((o) => ({ ...o, metrics: [1] })),
      /metrics that are no object but \[1\]/,
    ],
    [
      'a metric with an odd name',
      'Model',
      'trainingStep',
      step((o) => ({ ...o, metrics: { 'm a\ne': 1 } })),
      /a metric 'm a\\ne'; expected a name of letters/,
    ],
    ['a metric without a name', 'Model', 'trainingStep', step((o) => ({ ...o, metrics: { '': 1 } })), /a metric ''/],
    [
      'one row of the predictions',
      'Model',
      'trainingStep',
      step((o) => ({ ...o, predictions: o.predictions!.at(0) })),
      /predictions of shape \[2\] for a batch of 8/,
    ],
    [
      'a single prediction',
      'Model',
      'validationStep',
      step((o) => ({ ...o, predictions: tensor(1) })),
      /predictions of shape \[\] for a batch/,
    ],
    [
      'classes as predictions',
      'Model',
      'trainingStep',
      step((o) => ({ ...o, predictions: o.predictions!.argmax(1) })),
      /classes as predictions; expected the logits/,
    ],
  ];
  for (const [what, part, member, value, message] of answers) {
    it(`not ${what}`, async () => {
      const error = await failing(part, member, value);
      expect(error.code).to.equal('PLUGIN_INVALID');
      expect(error.message).to.match(message);
    });
  }

  it('not a weight of 0 in every batch, whose mean would be NaN', async () => {
    const error = await failing(
      'Model',
      'trainingStep',
      step((output) => ({ ...output, weight: 0 })),
    );
    expect(error.code).to.equal('TRAINING_FAILED');
    expect(error.message).to.match(
      /Nothing counted in epoch 1, so there is no mean loss: trainingStep returned the weight 0 for every batch/,
    );
  });

  it('methods as properties that nothing would call', async () => {
    class Arrow extends Model {
      configureSchedulers = (): void => undefined;
    }
    registerPlugin({ name: 'arrow', Model: Arrow, Dataset });
    const error = await failureOf(
      runIn(path.join(folder, 'arrow'), experiment({}, { modelPlugin: 'arrow', model: { dropout: 0, classes: 2 } })),
    );
    expect(error.message).to.match(/class Model has 'configureSchedulers', which nothing calls/);
  });
});

describe('what a plugin’s code gives where states are restored', () => {
  const folder = temporaryFolder('restored-answers');

  class Stateful extends Unchanged {
    override restore(): void {
      return Promise.resolve() as unknown as undefined;
    }
  }

  it('refuses an asynchronous restore', () => {
    const file = path.join(folder, 'preprocessor.json');
    new Unchanged().save(file);
    expect(() => new Stateful().load(file)).to.throw(AiforgeError, /^Preprocessor\.restore returned a promise, but must be synchronous/); // prettier-ignore
  });

  class WithExtra extends Model {
    static onSet: () => unknown = () => undefined;
    static onGet: () => unknown = () => ({ seen: 1 });
    override getExtraState(): unknown {
      return WithExtra.onGet();
    }
    override setExtraState(): void {
      return WithExtra.onSet() as undefined;
    }
  }
  registerPlugin({ name: 'answers_extra', Model: WithExtra, Dataset });
  const config = (training: object) =>
    experiment({ epochs: 1, ...training }, { modelPlugin: 'answers_extra', datasetPlugin: 'answers_extra', model: { dropout: 0, classes: 2 } }); // prettier-ignore

  it('tells what setExtraState does on resume as the model’s own fault', async () => {
    const { runDirectory } = await runIn(folder, config({}));
    const own = new RangeError('of the model');
    const resumed = async (onSet: () => unknown) => {
      WithExtra.onSet = onSet;
      return failureOf(runIn(folder, config({ epochs: 2, resumeFrom: runDirectory })));
    };
    const thrown = await resumed(() => {
      throw own;
    });
    expect(thrown).to.equal(own);
    expect((await resumed(throwsUndefined)).message).to.match(/^setExtraState threw undefined/);
    const thenable = { then: (told: (value: unknown) => void) => told(1) };
    const throwing = {
      then: () => {
        throw own;
      },
    };
    for (const promised of [Promise.resolve(), thenable, throwing]) {
      expect((await resumed(() => promised)).message).to.match(/^WithExtra\.setExtraState returned a promise, but must be synchronous/); // prettier-ignore
    }
  });

  it('refuses promises of both where a learning rate is sought, which gives the model back as it was', () => {
    WithExtra.onGet = () => ({ seen: 1 });
    WithExtra.onSet = () => Promise.resolve();
    const model = new WithExtra({ dropout: 0, classes: 2 });
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const restore = snapshot(model, optimizer);
    expect(restore).to.throw(AiforgeError, /^WithExtra\.setExtraState returned a promise, but must be synchronous/);
    WithExtra.onGet = () => Promise.resolve(1);
    expect(() => snapshot(model, optimizer)).to.throw(AiforgeError, /^WithExtra\.getExtraState returned a promise/);
    expect(() => model.stateDict()).to.throw(AiforgeError, /^WithExtra\.getExtraState returned a promise/);
  });

  it('tells what getExtraState throws or promises', async () => {
    WithExtra.onGet = throwsUndefined;
    expect((await failureOf(runIn(folder, config({})))).message).to.match(/^getExtraState threw undefined/);
    WithExtra.onGet = () => Promise.resolve(1);
    expect((await failureOf(runIn(folder, config({})))).message).to.match(/^WithExtra\.getExtraState returned a promise, but must be synchronous/); // prettier-ignore
  });
});
