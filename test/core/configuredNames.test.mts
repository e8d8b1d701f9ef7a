// Settings that only the parts of a run can judge: the names and options of optimizers, losses and plugins.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { AiforgeError, loadExperimentConfig, optim, registerPlugin, validate, type LoadContext } from 'aiforge';
import { expect } from 'chai';
import { z } from 'zod';

import { temporaryFolder } from '../support/project.mjs';
import { Dataset, failureOf, Model, runIn } from './lab.mjs';

class Sized extends Dataset {
  override loadData(_dataPath?: string, context?: LoadContext): void {
    validate(z.strictObject({ size: z.int().default(1) }), context!.args, {
      source: 'the experiment',
      under: ['datasetArgs'],
    });
  }
}

class Several extends Model {
  override configureOptimizers(): Record<string, optim.Optimizer> {
    return { head: new optim.SGD(this.head.parameters()), body: new optim.SGD(this.body.parameters()) };
  }
}

registerPlugin({ name: 'sized', Model, Dataset: Sized });
registerPlugin({ name: 'several_alone', Model: Several, Dataset });

describe('the settings of an experiment that its parts judge', () => {
  const folder = temporaryFolder('names');
  const file = path.join(folder, 'named.yaml');
  const write = (lines: string[], plugin = 'lab') => {
    const head = ['experimentName: named', `modelPlugin: ${plugin}`, 'datasetPlugin: sized', 'dataPath: none'];
    writeFileSync(file, [...head, ...lines].join('\n'));
  };
  const runs = path.join(folder, 'runs');
  const failing = async (overrides: string[] = []): Promise<AiforgeError> => {
    const error = await failureOf(runIn(runs, loadExperimentConfig(file, overrides)));
    expect(error, String(error)).to.be.instanceOf(AiforgeError);
    expect(existsSync(runs), 'a trace').to.equal(false);
    return error as AiforgeError;
  };

  // The head has four lines, and `training:` is the fifth.
  const cases: [what: string, lines: string[], place: string, problem: RegExp][] = [
    ['an unknown optimizer', ['optimizerName: Adma'], 'training.optimizerName (6)', /no 'Adma'. Did you mean 'Adam'/],
    [
      'an optimizer that needs the loss anew, with a window of several batches',
      ['optimizerName: LBFGS', 'accumulationSteps: 2'],
      'training.accumulationSteps (7)',
      /is 2, but LBFGS computes the loss anew/,
    ],
    [
      'an optimizer of sparse gradients',
      ['optimizerName: SparseAdam'],
      'training.optimizerName (6)',
      /SparseAdam takes sparse/,
    ],
    [
      'an unknown option of the optimizer',
      ['epochs: 1', 'optimizerArgs:', '  weightDecy: 1'],
      'training.optimizerArgs (8)',
      /Adam: has no option 'weightDecy'. Did you mean 'weightDecay'/,
    ],
    [
      'an option of a wrong kind',
      ['optimizerArgs: { betas: 5 }'],
      'training.optimizerArgs (6)',
      /betas must be .*got 5/,
    ],
    ['an unknown loss', ['lossFnName: MSELos'], 'training.lossFnName (6)', /no 'MSELos'. Did you mean 'MSELoss'/],
    [
      'a layer in place of a loss',
      ['lossFnName: ReLU'],
      'training.lossFnName (6)',
      /no 'ReLU'.*Expected one of .*MSELoss/,
    ],
    ['a layer with arguments', ['lossFnName: Linear'], 'training.lossFnName (6)', /no 'Linear'/],
    [
      'a loss that cannot be made by its name',
      ['lossFnName: AdaptiveLogSoftmaxWithLoss'],
      'training.lossFnName (6)',
      /must be given.*configureLossFn/,
    ],
    [
      'a metric that nobody has',
      ['earlyStoppingMonitor: loss'],
      'training.earlyStoppingMonitor (6)',
      /no metric 'loss'/,
    ],
  ];
  for (const [what, lines, place, problem] of cases) {
    it(`${what}: with the file and the line`, async () => {
      write(['training:', ...lines.map((line) => `  ${line}`)]);
      const { code, message } = await failing();
      expect(code).to.equal('CONFIG_INVALID');
      const [, setting, line] = /^(\S+) \((\d+)\)$/.exec(place)!;
      expect(message)
        .to.match(new RegExp(`${setting} \\(${file}:${line}:\\d+\\): `))
        .and.to.match(problem);
    });
  }

  it('an override is named as one', async () => {
    write([]);
    expect((await failing(['training.optimizerName=Adma'])).message).to.include(
      `training.optimizerName (override 'training.optimizerName=Adma'): there is no 'Adma'`,
    );
  });

  it('the options of a model and of a data set: with the file and the line', async () => {
    write(['model:', '  dropuot: 0']);
    expect((await failing()).message).to.match(
      /named\.yaml has 1 problem:\n {2}model\.dropuot \(\S+named\.yaml:6:3\): .*'dropout'/,
    );
    write(['datasetArgs:', '  siz: 1']);
    expect((await failing()).message).to.match(
      /named\.yaml has 1 problem:\n {2}datasetArgs\.siz \(\S+named\.yaml:6:3\): .*'size'/,
    );
  });

  it('a second learning rate is refused where the file is read', () => {
    write(['training:', '  learningRate: 0.1', '  optimizerArgs:', '    lr: 0.5']);
    expect(() => loadExperimentConfig(file))
      .to.throw(
        /training\.optimizerArgs\.lr \(\S+named\.yaml:8:9\): got 0\.5, expected the rate as training\.learningRate/,
      )
      .with.property('code', 'CONFIG_INVALID');
  });

  it('several optimizers that the model does not step itself are the model’s fault', async () => {
    write(['model: { dropout: 0, classes: 2 }'], 'several_alone');
    const { code, message } = await failing();
    expect(code).to.equal('PLUGIN_INVALID');
    expect(message).to.match(
      /configureOptimizers returned several optimizers \(head, body\).*automaticOptimization to false/,
    );
  });
});
