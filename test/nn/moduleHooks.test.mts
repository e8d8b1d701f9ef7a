import { grad, ones, tensor, type Tensor } from 'aiforge';

import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { exact, type Exact } from '../support/exact.mjs';
import { section } from './reference.mjs';

const float = (data: number[] | number[][], requiresGrad = false): Tensor =>
  tensor(data, { dtype: 'float32', requiresGrad });

const exactly = (values: readonly unknown[]): (Exact | null)[] =>
  values.map((value) => (value === null ? null : exact(value as Tensor)));

class Two extends nn.Module {
  weight = new nn.Parameter(float([0.5, -1.5]));
  override forward(x: Tensor, factor: number, y: Tensor): [Tensor, Tensor, Tensor] {
    return [x.mul(this.weight).mul(factor).add(y), y.mul(2), x.add(1)];
  }
}

class Twice extends nn.ReLU {
  override forward(x: Tensor): Tensor {
    return super.forward(x).mul(2);
  }
}

describe('hooks of modules', () => {
  it('refuse a number in the place of an output, as an arrow function gives that of push', () => {
    const seen: unknown[] = [];
    const layer = new nn.ReLU();
    layer.registerForwardHook(((_module: unknown, _args: unknown, output: unknown) => seen.push(output)) as never);
    expect(() => layer.forward(ones([2]))).to.throw(/A forward hook returned 1, .*write \{ … \}/);
  });

  it('refuse what a backward hook returns that is no array, where no input needs a gradient too', () => {
    for (const requiresGrad of [false, true]) {
      for (const [given, message] of [
        [() => 3, /A full backward hook: expected nothing.*, got 3/],
        [() => Promise.resolve(), /A full backward hook returned a Promise/],
      ] as const) {
        const layer = new nn.Linear(2, 2);
        layer.registerFullBackwardHook(given as never);
        const loss = layer.forward(ones([2], { requiresGrad })).sum();
        expect(() => loss.backward())
          .to.throw(message)
          .with.property('code', 'INVALID_ARGUMENT');
      }
    }
  });

  it('refuse what hooks of state dicts return, which Python refuses or loses', () => {
    const kinds = ['StateDictPre', 'StateDictPost', 'LoadStateDictPre', 'LoadStateDictPost'] as const;
    for (const kind of kinds) {
      for (const [given, message] of [
        [() => 3, /-hook of (l|s)\w+\(\): expected nothing, got 3/],
        [() => Promise.resolve(3), /-hook of (l|s)\w+\(\) returned a Promise/],
      ] as const) {
        const layer = new nn.Linear(2, 2);
        const state = layer.stateDict();
        const hook = given as () => never;
        layer[`register${kind}Hook`](hook);
        expect(() => (kind.startsWith('Load') ? layer.loadStateDict(state) : layer.stateDict()), kind)
          .to.throw(message)
          .with.property('code', 'INVALID_ARGUMENT');
      }
    }
  });

  it('run in the order of Python’s, with its gradients', function () {
    const expected = section<{ log: unknown[]; output: Exact; grad: Exact; weight: Exact }>('module_core', 'hooks');
    if (expected === undefined) this.skip();
    const log: unknown[] = [];
    const [inner, outer] = [new nn.Linear(2, 2), new nn.Tanh()];
    inner.loadStateDict({
      weight: float([
        [0.25, -0.5],
        [1.5, 0.75],
      ]),
      bias: float([0.1, -0.2]),
    });
    const model = new nn.Sequential(inner, outer);
    for (const [name, module] of Object.entries({ model, inner, outer } as Record<string, nn.Layer>)) {
      for (let i = 0; i < 2; ++i) {
        const tag = `${name}${i}`;
        const prepend = i === 1;
        module.registerForwardPreHook((_, args) => void log.push([`${tag} pre`, exactly(args)]), { prepend });
        module.registerForwardHook((_, args, output) => void log.push([`${tag} post`, exactly([...args, output])]));
        module.registerFullBackwardPreHook((_, grads) => void log.push([`${tag} backward pre`, exactly(grads)]));
        module.registerFullBackwardHook(
          (_, gradInput, gradOutput) => void log.push([`${tag} backward`, exactly([...gradInput, ...gradOutput])]),
          { prepend },
        );
      }
    }
    inner.registerFullBackwardHook((_, [grad]) => [grad!.mul(3)]);
    outer.registerFullBackwardPreHook((_, [grad]) => [grad!.mul(2)]);
    inner.registerForwardPreHook((_, [x]) => x.add(1));
    outer.registerForwardHook((_, args, output) => output.mul(0.5));
    const x = tensor(
      [
        [1, 2],
        [-0.5, 0.25],
      ],
      { dtype: 'float32', requiresGrad: true },
    );
    const y = model.forward(x);
    y.sum().backward();
    const actual = { log, output: exact(y), grad: exact(x.grad!), weight: exact(inner.weight.grad!) };
    expect(actual).to.deep.equal(expected);
  });

  it('give the gradients of several arguments and results as Python does', function () {
    const expected = section<{ log: unknown[]; weight: Exact }>('module_core', 'several');
    if (expected === undefined) this.skip();
    const log: unknown[] = [];
    const module = new Two();
    module.registerFullBackwardHook((_, gradInput, gradOutput) => {
      log.push([exactly(gradInput), exactly(gradOutput)]);
    });
    const [x, y] = [float([1, 2], true), float([3, -4])];
    module.forward(x, 3, y)[0].sum().backward();
    module.forward(y, 3, y)[0].sum().backward();
    const [a, , c] = module.forward(x, 3, y.clone().requiresGrad_());
    a.mul(c).sum().backward();
    const [gradient] = grad(module.forward(x, 2, y)[0].sum(), x, { createGraph: true });
    gradient!.square().sum().backward();
    expect({ log, weight: exact(module.weight.grad!) }).to.deep.equal(expected);
  });

  it('leave a module as it was when the last is gone', () => {
    const layer = new Twice();
    const calls: string[] = [];
    const handle = layer.registerForwardHook(() => void calls.push('a'));
    {
      using second = layer.registerForwardPreHook(() => void calls.push('b'));
      expect(second).to.be.instanceOf(nn.ModuleHookHandle);
      expect(layer.forward(ones([1])).tolist()).to.deep.equal([2]);
    }
    expect(Object.keys(layer)).to.not.include('forward');
    expect(Object.hasOwn(layer, 'forward')).to.equal(true);
    handle.remove();
    handle.remove();
    expect(Object.hasOwn(layer, 'forward')).to.equal(false);
    layer.forward(ones([1]));
    expect(calls).to.deep.equal(['b', 'a']);
  });

  it('that run may add and remove others, for the next time', () => {
    const layer = new nn.Identity();
    const calls: string[] = [];
    const note = (text: string) => (): void => void calls.push(text);
    const run = (): string[] => {
      calls.length = 0;
      layer.forward(ones([1]));
      return [...calls];
    };
    const twice = note('twice');
    const handles = [layer.registerForwardHook(twice), layer.registerForwardHook(twice)];
    layer.registerForwardHook(note('first'), { prepend: true });
    const changing = layer.registerForwardHook(
      () => {
        calls.push('changes');
        changing.remove();
        handles[0]!.remove();
        layer.registerForwardHook(note('before all'), { prepend: true });
        layer.registerForwardHook(note('last'));
      },
      { prepend: true },
    );
    expect(run()).to.deep.equal(['changes', 'first', 'twice', 'twice']);
    expect(run()).to.deep.equal(['before all', 'first', 'twice', 'last']);
    handles[0]!.remove();
    handles[1]!.remove();
    expect(run()).to.deep.equal(['before all', 'first', 'last']);
    const copy = layer.deepCopy();
    layer.registerForwardHook(note('not the copy’s'));
    calls.length = 0;
    copy.forward(ones([1]));
    expect(calls).to.deep.equal(['before all', 'first', 'last']);
  });

  it('work on a copied module, with the copy', () => {
    const layer = new nn.Linear(2, 2);
    const seen: nn.Module[] = [];
    const handle = layer.registerForwardHook((module) => void seen.push(module));
    const copy = layer.deepCopy();
    handle.remove();
    layer.forward(ones([1, 2]));
    copy.forward(ones([1, 2]));
    expect(seen).to.deep.equal([copy]);
  });

  it('wrap a forward that is a property of the module', () => {
    class Arrow extends nn.Module {
      override forward = (x: Tensor): Tensor => x.add(1);
    }
    const module = new Arrow();
    const handle = module.registerForwardHook((_, args, output) => output.mul(10));
    expect(module.forward(ones([1])).tolist()).to.deep.equal([20]);
    handle.remove();
    expect(module.forward(ones([1])).tolist()).to.deep.equal([2]);
  });

  it('are called after an error when they are to be always', () => {
    const layer = new nn.Linear(2, 2);
    const seen: unknown[] = [];
    layer.registerForwardHook(() => void seen.push('never'));
    layer.registerForwardHook((_, args, output) => void seen.push([args.length, output]), { alwaysCall: true });
    expect(() => layer.forward(ones([1, 3]))).to.throw(/linear/);
    expect(seen).to.deep.equal([[1, null]]);
  });

  it('refuse what is no function, and gradients of another number', () => {
    const layer = new nn.ReLU();
    expect(() => layer.registerForwardHook(3 as never))
      .to.throw(/function/)
      .with.property('code', 'INVALID_ARGUMENT');
    layer.registerFullBackwardHook(() => []);
    const output = layer.forward(ones([2], { requiresGrad: true })).sum();
    expect(() => output.backward()).to.throw(/array of 1 gradients, got 0/);
  });

  it('know the types of forward', () => {
    new Two().registerForwardPreHook((module, [x, factor, y]) => [x, factor + module.weight.numel(), y]);
    // @ts-expect-error the output is an array of tensors
    new Two().registerForwardHook((module, args, output: Tensor) => output).remove();
  });
});
