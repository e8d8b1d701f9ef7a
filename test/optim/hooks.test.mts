import { AiforgeError, ones } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

function sgd(): { parameter: nn.Parameter; optimizer: optim.SGD } {
  const parameter = new nn.Parameter(ones([2]));
  parameter.grad = ones([2]);
  return { parameter, optimizer: new optim.SGD([parameter], { lr: 0.5 }) };
}

describe('hooks of optimizers', () => {
  it('run around each step, those of every optimizer outside, until they are removed', () => {
    const { optimizer } = sgd();
    const calls: string[] = [];
    const note = (text: string) => (): void => void calls.push(text);
    const handles = [
      optim.registerOptimizerStepPreHook(note('every before')),
      optim.registerOptimizerStepPostHook(note('every after')),
      optimizer.registerStepPreHook(note('before')),
      optimizer.registerStepPostHook(note('after')),
    ];
    optimizer.step();
    for (const handle of handles) handle.remove();
    optimizer.step();
    expect(calls).to.deep.equal(['every before', 'before', 'after', 'every after']);
  });

  it('get the optimizer and the closure, and may give another closure', () => {
    const { optimizer } = sgd();
    const seen: unknown[] = [];
    optimizer.registerStepPreHook((given, args) => {
      seen.push(given, args.length);
      return [() => 7];
    });
    optimizer.registerStepPostHook((_, args) => void seen.push(args[0]?.()));
    expect(optimizer.step(() => 3)).to.equal(7);
    expect(seen).to.deep.equal([optimizer, 1, 7]);
  });

  it('see and change state dicts that are made and loaded', () => {
    const { optimizer } = sgd();
    const calls: string[] = [];
    optimizer.registerStateDictPreHook(() => void calls.push('make'));
    optimizer.registerStateDictPostHook((_, stateDict) => {
      stateDict.param_groups[0]!.lr = 2;
    });
    optimizer.registerLoadStateDictPreHook((_, stateDict) => ({
      ...stateDict,
      param_groups: stateDict.param_groups.map((group) => ({ ...group, momentum: 0.25 })),
    }));
    optimizer.registerLoadStateDictPostHook(() => void calls.push('second'));
    using first = optimizer.registerLoadStateDictPostHook(() => void calls.push('first'), { prepend: true });
    optimizer.loadStateDict(optimizer.stateDict());
    first.remove();
    optimizer.loadStateDict(optimizer.stateDict());
    expect(calls).to.deep.equal(['make', 'first', 'second', 'make', 'second']);
    const [group] = optimizer.paramGroups;
    expect([group!.lr, group!.momentum]).to.deep.equal([2, 0.25]);
  });

  it('that run may add and remove others, for the next time', () => {
    const { optimizer } = sgd();
    const calls: string[] = [];
    const note = (text: string) => (): void => void calls.push(text);
    const twice = note('twice');
    const handles = [optimizer.registerStateDictPreHook(twice), optimizer.registerStateDictPreHook(twice)];
    const changing = optimizer.registerStateDictPreHook(
      () => {
        calls.push('changes');
        changing.remove();
        handles[1]!.remove();
        optimizer.registerStateDictPreHook(note('first'), { prepend: true });
        optimizer.registerStateDictPreHook(note('last'));
      },
      { prepend: true },
    );
    optimizer.stateDict();
    expect(calls.splice(0)).to.deep.equal(['changes', 'twice', 'twice']);
    optimizer.stateDict();
    expect(calls).to.deep.equal(['first', 'twice', 'last']);
  });

  it('refuse a Promise, whose result would come too late', () => {
    for (const register of [
      'StepPre',
      'StepPost',
      'StateDictPre',
      'StateDictPost',
      'LoadStateDictPre',
      'LoadStateDictPost',
    ]) {
      const { optimizer } = sgd();
      const add = optimizer[`register${register}Hook` as 'registerStepPreHook'].bind(optimizer);
      add((() => Promise.resolve()) as never);
      const run = () => {
        optimizer.step();
        optimizer.loadStateDict(optimizer.stateDict());
      };
      expect(run, register).to.throw(AiforgeError, /An optimizer's hook returned a Promise/);
    }
  });
});
