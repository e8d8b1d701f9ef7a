// Methods, files and exports that the author of a plugin expects to be read, and nothing reads.

import { BasePreprocessor, definePlugin, loadPlugin } from 'aiforge';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';

import { temporaryFolder, writeFiles } from '../support/project.mjs';

class Model {
  forward(): void {}
  trainingStep(): void {}
  validationStep(): void {}
}

class Data {
  get length(): number {
    throw new Error('it is asked before there are data');
  }
  get(): void {}
  loadData(): void {}
}

class Prepared extends BasePreprocessor {
  fit(): void {}
  transform(): void {}
  inverseTransform(): void {}
  state(): void {}
  restore(): void {}
}

const datasetSource = `export class Dataset { get length() { return 0; } get() {} loadData() {} }`;

describe('what nothing of a plugin would call is refused:', () => {
  const folder = temporaryFolder('foreign');
  const write = (files: Record<string, string>): string => writeFiles(folder, files);

  const names: [part: string, method: string, instead: string][] = [
    ['Model', 'configureSchedulers', 'configureScheduler(optimizer, config, length)'],
    ['Model', 'configure_optimizers', 'configureOptimizers'],
    ['Model', 'configureOptimiser', 'configureOptimizer'],
    ['Model', 'onTrainEpochEnd', "a callback among the orchestrator's options, with onEpochEnd"],
    ['Model', 'on_fit_start', 'with onRunStart'],
    ['Model', 'training_step', 'trainingStep'],
    ['Model', 'testStep', 'validationStep(batch, batchIdx), which the test runs too'],
    ['Model', 'predict_step', 'predictStep'],
    ['Model', 'trainDataloader', 'the Dataset, whose splits()'],
    ['Model', 'validationEpochEnd', 'with onEpochEnd'],
    ['Model', 'configureLoss', 'configureLossFn(name)'],
    ['Model', 'onAfterBackward', 'registerPostAccumulateGradHook'],
    ['Model', 'on_before_optimizer_step', 'registerPostAccumulateGradHook'],
    ['Model', 'on_train_batch_start', 'trainingStep(batch, batchIdx)'],
    ['Model', 'onValidationBatchEnd', 'validationStep(batch, batchIdx)'],
    ['Model', 'clip_gradients', 'training.gradClipNorm'],
    ['Model', 'manual_backward', 'manualBackward'],
    ['Model', 'configureAutocast', 'training.precision'],
    ['Model', 'backward', 'the framework calls backward and steps'],
    ['Model', 'onEpochEnd', "a callback among the orchestrator's options, with onEpochEnd"],
    ['Model', 'onRunStart', 'with onRunStart'],
    ['Model', 'on_step_end', 'with onBatchEnd'],
    ['Model', 'on_exception', 'with onException'],
    ['Model', 'onValidationModelEval', 'the framework calls train() and eval()'],
    ['Model', 'compute_loss', 'trainingStep(batch, batchIdx)'],
    ['Model', 'createOptimizer', 'configureOptimizer(name'],
    ['Model', 'setup', 'the constructor'],
    ['Model', 'teardown', 'with onRunEnd'],
    ['Model', 'lr_schedulers', 'configureScheduler('],
    ['Model', 'toggleOptimizer', 'nothing: parameters'],
    ['Model', 'untoggle_optimizer', 'nothing: parameters'],
    ['Model', 'log_dict', 'logDict'],
    ['Model', 'log_image', 'logImage'],
    ['Model', 'transfer_batch_to_device', 'transferBatchToDevice'],
    ['Model', 'load_state_dict', 'loadStateDict'],
    ['Model', 'extra_repr', 'extraRepr'],
    ['Model', 'freeze', 'training.freeze'],
    ['Model', 'unfreeze', 'training.freeze'],
    ['Model', 'loadFromCheckpoint', 'loadRun(directory)'],
    ['Model', 'saveHyperparameters', 'this.config'],
    ['Model', 'configure_model', 'the constructor'],
    ['Dataset', 'setup', 'loadData(dataPath, context)'],
    ['Dataset', 'prepare_data', 'context.barrier()'],
    ['Dataset', 'teardown', 'nothing'],
    ['Dataset', 'shuffle', 'training.seed'],
    ['Dataset', 'split', 'splits(), which returns { train, val, test }'],
    ['Dataset', 'collate', 'transform of a Preprocessor'],
    ['Dataset', '__getitem__', 'get(index)'],
    ['Dataset', 'getitem', 'get(index)'],
    ['Dataset', '__getitems__', 'getBatch(indices)'],
    ['Dataset', '__len__', 'get length()'],
    ['Dataset', 'len', 'get length()'],
    ['Dataset', 'load_data', 'loadData'],
    ['Preprocessor', 'fitTransform', 'fit(items, args) and transform(item)'],
    ['Preprocessor', 'inverse_transform', 'inverseTransform'],
    ['Preprocessor', '__getstate__', 'state()'],
  ];
  const whole: Record<string, new () => object> = { Model, Dataset: Data, Preprocessor: Prepared };
  for (const [part, method, instead] of names) {
    it(`${method} in a ${part}, which nothing would call`, () => {
      const Class = class extends whole[part]! {};
      Object.defineProperty(Class.prototype, method, { value: () => undefined });
      const { code, message } = refusalOf(() => definePlugin({ name: 'x', Model, Dataset: Data, [part]: Class }));
      expect(code).to.equal('PLUGIN_INVALID');
      expect(message).to.include(`class ${part} has '${method}', which nothing calls; write `).and.to.include(instead);
    });
  }

  for (const name of ['class_names', 'classes', 'len']) {
    it(`${name}, a property of a Dataset that nothing would read`, () => {
      const Class = class extends Data {};
      Object.defineProperty(Class.prototype, name, { get: () => ['a', 'b'] });
      const { code, message } = refusalOf(() => definePlugin({ name: 'x', Model, Dataset: Class }));
      expect(code).to.equal('PLUGIN_INVALID');
      expect(message).to.include(
        `'${name}', which nothing reads; write ${name === 'len' ? 'get length' : 'classNames'}`,
      );
    });
  }

  it('no helpers under names of their own', () => {
    class Helped extends Model {
      forwardFeatures(): void {}
      trainingStepLoss(): void {}
      validate(): void {}
      embed(): void {}
    }
    class Reading extends Data {
      getText(): void {}
      loadDataFile(): void {}
      lengths(): void {}
    }
    class Scaling extends Prepared {
      stats(): void {}
      fitScale(): void {}
      transformText(): void {}
    }
    definePlugin({ name: 'x', Model: Helped, Dataset: Reading, Preprocessor: Scaling });
  });

  it('no helpers that the class calls itself, whatever their names', () => {
    class Called extends Data {
      split(line: string): string[] {
        return line.split(',');
      }
      override get(): void {
        this.split('a,b');
      }
    }
    class Helped extends Model {
      onDevice(): void {}
      trainStep(): void {}
      override trainingStep(): void {
        this.trainStep();
      }
    }
    definePlugin({ name: 'called', Model: Helped, Dataset: Called });
  });

  it('no helper that the constructor or a field calls, but one that only calls or sets itself', () => {
    class Built extends Model {
      layers = this.configureModel();
      constructor() {
        super();
        this.setup();
      }
      configureModel(): number {
        return 1;
      }
      setup(): void {}
    }
    definePlugin({ name: 'built', Model: Built, Dataset: Data });
    class Itself extends Model {
      onAfterBackward(): void {
        this.onAfterBackward();
      }
    }
    class Assigned extends Model {
      constructor() {
        super();
        Object.assign(this, { done: true });
        this.computeLoss = () => undefined;
      }
      computeLoss(): unknown {
        return null;
      }
    }
    for (const Refused of [Itself, Assigned]) {
      const define = () => definePlugin({ name: 'x', Model: Refused, Dataset: Data });
      expect(refusalOf(define).code).to.equal('PLUGIN_INVALID');
    }
  });

  it('a file that is misspelt, and none that is a helper', () => {
    const from = write({
      'misspelt/dataset.ts': datasetSource,
      'misspelt/preprocesor.js': '',
      'misspelt/tokenizer.ts': '',
    });
    const { code, message } = refusalOf(() => loadPlugin('./misspelt', { from }));
    expect(code).to.equal('PLUGIN_INVALID');
    expect(message).to.match(/misspelt\/preprocesor\.js is read by nothing; did you mean preprocessor\.js\?/);
    write({ 'other/dataset.ts': datasetSource, 'other/preprocessing.ts': '', 'other/models_list.ts': '' });
    expect(loadPlugin('./other', { from }).name).to.equal('other');
  });

  for (const [what, index, message] of [
    [
      'Plugin',
      'export const Plugin = { name: "x" };',
      /index\.js exports 'Plugin', .* export const plugin = definePlugin/,
    ],
    ['a class', 'export class Model {}', /index\.js exports 'Model', .*put it into model\.ts/],
  ] as const) {
    it(`an index that exports ${what}`, () => {
      const from = write({ [`${what}/dataset.ts`]: datasetSource, [`${what}/index.js`]: index });
      expect(refusalOf(() => loadPlugin(`./${what}`, { from })).message).to.match(message);
    });
  }

  it('a module that throws what is no error', () => {
    const from = write({ 'throws/dataset.js': 'throw undefined;' });
    expect(refusalOf(() => loadPlugin('./throws', { from })).message).to.match(
      /dataset\.js could not be run: it threw undefined/,
    );
  });
});
