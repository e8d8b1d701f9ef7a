import path from 'node:path';

import {
  loadSafetensors,
  optim,
  registerPlugin,
  type AiforgeError,
  type Callback,
  type EpochEnd,
  type nn,
} from 'aiforge';
import { expect } from 'chai';
import fc from 'fast-check';

import { isMatch } from '#lib/core/training/weights/parameterGroups.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, Config, Dataset, experiment, failureOf, Model, runIn } from './lab.mjs';

let last: optim.Optimizer | undefined;

/** Shows what optimizer it got. */
class Showing extends Model {
  override configureOptimizer(...given: Parameters<Model['configureOptimizer']>): optim.Optimizer {
    const [name, learningRate, options, groups] = given;
    return (last = super.configureOptimizer(name, learningRate, options, groups));
  }
}
registerPlugin({ name: 'groups', Model: Showing, Dataset, Config });
class Own extends Model {
  override configureOptimizer(name: string, learningRate: number): optim.Optimizer {
    return super.configureOptimizer(name, learningRate);
  }
}
registerPlugin({ name: 'groups_own', Model: Own, Dataset, Config });

const grouped = (training: object, plugin = 'groups') =>
  experiment({ epochs: 1, optimizerName: 'AdamW', ...training }, { modelPlugin: plugin, datasetPlugin: plugin });

const weightsOf = (directory: string, name = 'best.safetensors') => loadSafetensors(path.join(directory, name)).tensors;

describe('training.parameterGroups and training.freeze', () => {
  it('match names as a regular expression would, in which * stands for anything', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '(', '+'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, given) => {
        const name = given.replaceAll('*', 'a');
        const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
        expect(isMatch(pattern, name)).to.equal(new RegExp(`^${parts.join('.*')}$`).test(name));
      }),
      { numRuns: 3000, seed: 1 },
    );
  });

  const folder = temporaryFolder('groups');

  it('give parameters options of their own, those of none first', async () => {
    const groups = [
      { match: ['*.bias', 'body.1.*'], weightDecay: 0 },
      { match: 'head.*', learningRate: 0.1 },
    ];
    await runIn(folder, grouped({ parameterGroups: groups, optimizerArgs: { weightDecay: 0.5 } }));
    const shown = last!.paramGroups.map((group) => {
      const { params, lr, weightDecay } = group as typeof group & { weightDecay: number };
      return { shapes: params.map(({ shape }) => String(shape)), lr, weightDecay };
    });
    expect(shown).to.deep.equal([
      { shapes: ['8,4'], lr: 0.01, weightDecay: 0.5 },
      { shapes: ['8', '8', '8', '2'], lr: 0.01, weightDecay: 0 },
      { shapes: ['2,8'], lr: 0.1, weightDecay: 0.5 },
    ]);
  });

  it('refuse a group that others leave nothing, and parameters by params', async () => {
    const taken = [{ match: 'head.*' }, { match: 'body.*' }, { match: ['*.bias'], weightDecay: 0 }];
    const error = await failureOf(runIn(folder, grouped({ parameterGroups: taken })));
    expect(error.message).to.include('training.parameterGroups[0] (head.*) and training.parameterGroups[1] (body.*) took every parameter'); // prettier-ignore
    expect(() => grouped({ parameterGroups: [{ match: '*.bias', params: [] }] })).to.throw(/params.*as match/s);
  });

  it('train as one group does where nothing is different', async () => {
    const one = await runIn(folder, grouped({}));
    const several = await runIn(folder, grouped({ parameterGroups: [{ match: 'head.*' }, { match: '*.bias' }] }));
    const [a, b] = [one, several].map(({ runDirectory }) => weightsOf(runDirectory));
    for (const [name, tensor] of Object.entries(a!)) expect(b![name]!.equal(tensor), name).to.equal(true);
  });

  it('go on to the same bytes, with a schedule', async () => {
    const settings = {
      epochs: 3,
      parameterGroups: [{ match: 'head.*', learningRate: 0.1 }],
      freeze: ['body.1.*'],
      scheduler: { name: 'StepLR', stepSize: 1, gamma: 0.5 },
    };
    const ends: EpochEnd[] = [];
    const whole = await runIn(folder, grouped(settings), { callbacks: [{ onEpochEnd: (end) => void ends.push(end) }] });
    const cut = await runIn(folder, grouped(settings), abortAt(2, 4));
    const resumed = await runIn(folder, grouped({ ...settings, resumeFrom: cut.runDirectory }));
    expect(bytesOf(resumed.runDirectory)).to.equal(bytesOf(whole.runDirectory));
    expect(ends).to.have.lengthOf(3);
    const other = grouped({ ...settings, parameterGroups: [], resumeFrom: cut.runDirectory });
    expect((await failureOf(runIn(folder, other))).message).to.match(/training.parameterGroups .* cannot become/);
  });

  it('leave what is frozen as it was', async () => {
    const { runDirectory } = await runIn(folder, grouped({ freeze: ['body.0.*'], epochs: 2 }));
    const free = await runIn(folder, grouped({ epochs: 1 }));
    const [frozen, other] = [weightsOf(runDirectory), weightsOf(free.runDirectory)];
    const begun = new Model(Config.parse({})).stateDict();
    expect(Object.keys(frozen)).to.deep.equal(Object.keys(begun));
    expect(frozen['body.0.weight']!.equal(other['body.0.weight']!)).to.equal(false);
    const again = await runIn(folder, grouped({ freeze: ['body.0.*'], epochs: 1, learningRate: 0.5 }));
    expect(weightsOf(again.runDirectory)['body.0.weight']!.equal(frozen['body.0.weight']!)).to.equal(true);
    expect(weightsOf(again.runDirectory)['head.weight']!.equal(frozen['head.weight']!)).to.equal(false);
  });

  it('refuse what names nothing, and what the optimizer does not take', async () => {
    const refused: [object, RegExp, string?][] = [
      [{ freeze: ['haed.*'] }, /training.freeze: no parameter of the model is called 'haed.\*'/],
      [{ freeze: ['head.wieght'] }, /Did you mean 'head.weight'/],
      [{ parameterGroups: [{ match: 'nothing' }] }, /parameterGroups.0.match: no parameter of the model is called 'nothing'/], // prettier-ignore
      [{ parameterGroups: [{ match: '*', weightDecya: 1 }] }, /training.parameterGroups: .*weightDecay/],
      [{ parameterGroups: [{ match: '*', rank: 1 }] }, /training.parameterGroups: AdamW has no option 'rank'/],
      [{ parameterGroups: [{ match: 'head.*' }] }, /own configureOptimizer makes other groups/, 'groups_own'],
    ];
    for (const [training, said, plugin] of refused) {
      const { message } = await failureOf(runIn(folder, grouped(training, plugin)));
      expect(message).to.match(said);
    }
    expect(() => grouped({ parameterGroups: [{ match: '*', lr: 1 }] })).to.throw(/expected the rate as learningRate/);
    expect(() => grouped({ parameterGroups: [{ weightDecay: 1 }] })).to.throw(/match/);
  });

  it('thaws parameters after so many epochs, and goes on to the last bit', async () => {
    const training = { freeze: [{ match: 'body.0.*', epochs: 1 }, 'head.bias'], epochs: 3 };
    const weights: Record<string, unknown>[] = [];
    let model: nn.Module | undefined;
    const callback: Callback = {
      onRunStart: (run) => void (model = run.model),
      onStageStart: ({ stage }) => void (stage === 'train' && weights.push(listOf(model!))),
      onRunEnd: () => void weights.push(listOf(model!)),
    };
    const listOf = (of: nn.Module) => Object.fromEntries([...of.namedParameters()].map(([name, value]) => [name, value.tolist()])); // prettier-ignore
    const whole = await runIn(path.join(folder, 'thawed'), experiment(training), { callbacks: [callback] });
    const [first, second, third] = weights;
    expect(second!['body.0.weight']).to.deep.equal(first!['body.0.weight']);
    expect(second!['head.weight']).to.not.deep.equal(first!['head.weight']);
    expect(third!['body.0.weight']).to.not.deep.equal(second!['body.0.weight']);
    expect(third!['head.bias']).to.deep.equal(first!['head.bias']);
    for (const [epoch, batch] of [
      [1, 11],
      [2, 3],
    ] as const) {
      // prettier-ignore
      const runs = path.join(folder, `thawed-${epoch}`);
      const cut = await runIn(runs, experiment(training), abortAt(epoch, batch));
      await runIn(runs, experiment({ ...training, resumeFrom: cut.runDirectory }));
      expect(bytesOf(cut.runDirectory) === bytesOf(whole.runDirectory)).to.equal(true);
    }
  });

  it('refuses optimizerArgs where the model’s own method does not take them', async () => {
    const make = (name: string, Class: typeof Model) => {
      registerPlugin({ name, Model: Class, Dataset, Config });
      return experiment({ epochs: 1, optimizerArgs: { weightDecay: 0.1 } }, { modelPlugin: name, datasetPlugin: name });
    };
    class Two extends Model {
      override configureOptimizer(_name: string, lr: number) {
        return new optim.SGD(this.parameters(), { lr });
      }
    }
    class Several extends Model {
      override configureOptimizers() {
        return new optim.SGD(this.parameters(), { lr: 0.1 });
      }
    }
    class Three extends Model {
      override configureOptimizer(_name: string, lr: number, options: object = {}) {
        return new optim.SGD(this.parameters(), { lr, ...options });
      }
    }
    class Rest extends Model {
      override configureOptimizer(...given: [string, number, Record<string, unknown>?]) {
        return super.configureOptimizer(...given);
      }
    }
    for (const [name, Class] of [
      ['configureOptimizer', Two],
      ['configureOptimizers', Several],
    ] as const) {
      // prettier-ignore
      const { code, message } = (await failureOf(runIn(folder, make(`args_${name}`, Class)))) as AiforgeError;
      expect(code).to.equal('CONFIG_INVALID');
      expect(message).to.match(new RegExp(`training\\.optimizerArgs.*own ${name} does not take them`));
    }
    for (const Class of [Three, Rest]) {
      expect((await runIn(folder, make(`args_${Class.name}`, Class))).history).to.have.lengthOf(1);
    }
  });
});
