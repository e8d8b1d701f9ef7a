import { expect } from 'chai';
import { enableGrad, grad, memory, noGrad, ones, scope, tensor, type Tensor } from 'aiforge';
import { collectGarbage } from '../support/garbage.mjs';

const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requiresGrad: true });

describe('registerHook', () => {
  it('sees the gradient, and may replace it', () => {
    const x = leaf(1, 2);
    const y = x.mul(3);
    const seen: unknown[] = [];
    y.registerHook((g) => void seen.push(g.tolist()));
    y.registerHook((g) => g.mul(10));
    x.registerHook((g) => {
      seen.push(g.tolist());
      return g.add(1);
    });
    y.sum().backward();
    expect(seen).to.deep.equal([
      [1, 1],
      [30, 30],
    ]);
    expect(x.grad!.tolist()).to.deep.equal([31, 31]);
  });

  it('runs in the order of registration, until removed', () => {
    const x = leaf(1);
    const order: string[] = [];
    const first = x.registerHook(() => void order.push('first'));
    {
      using second = x.registerHook(() => void order.push('second'));
      expect(second).to.have.property('remove');
      x.registerHook(() => void order.push('third'));
      x.sum().backward();
    }
    first.remove();
    first.remove();
    x.sum().backward();
    expect(order).to.deep.equal(['first', 'second', 'third', 'third']);
  });

  it('may remove itself and add others while it runs; those run the next time', () => {
    const x = leaf(1);
    const order: string[] = [];
    const once = x.registerHook(() => {
      order.push('once');
      once.remove();
      x.registerHook(() => void order.push('added'));
    });
    x.sum().backward();
    x.sum().backward();
    expect(order).to.deep.equal(['once', 'added']);
  });

  // As in PyTorch: y.register_hook(a); y.mul_(3); y.register_hook(b); y.retain_grad()
  it('belongs to the node that the tensor had, when an operator in place gives it another', () => {
    const x = leaf(1, 1);
    const y = x.mul(2);
    const seen: unknown[] = [];
    y.registerHook((g) => {
      seen.push(['before', g.tolist()]);
      return g.mul(10);
    });
    y.mul_(3);
    y.registerHook((g) => void seen.push(['after', g.tolist()]));
    y.retainGrad();
    expect(y.retainsGrad).to.equal(true);
    y.sum().backward();
    expect(seen).to.deep.equal([
      ['after', [1, 1]],
      ['before', [3, 3]],
    ]);
    expect([x.grad!.tolist(), y.grad!.tolist()]).to.deep.equal([
      [60, 60],
      [1, 1],
    ]);
  });

  // The numbers are PyTorch's: grad() captures before the hooks of what it asks for.
  it('changes what grad() gives and what retainGrad keeps', () => {
    const x = leaf(2);
    const y = x.mul(x);
    y.registerHook((g) => g.mul(5));
    y.retainGrad();
    const [gx, gy] = grad(y.sum(), [x, y], { retainGraph: true });
    expect([gx!.tolist(), gy!.tolist()]).to.deep.equal([[20], [1]]);
    y.sum().backward();
    expect(y.grad!.tolist()).to.deep.equal([10]);
  });

  it('refuses a gradient of another kind', () => {
    const refused = (hook: (g: Tensor) => unknown) => {
      const x = leaf(1, 2);
      const y = x.mul(2);
      y.registerHook(hook as (g: Tensor) => Tensor);
      return expect(() => y.sum().backward());
    };
    refused(() => ones([3], { dtype: 'float64' })).to.throw(/hook 'registerHook' has changed the size of value/);
    refused((g) => g.to('float32')).to.throw(/has changed the type of value/);
    refused(() => 3).to.throw(/expected a Tensor or nothing, got 3/);
    refused(async () => Promise.resolve()).to.throw(/returned a Promise/);
    expect(() => ones([1]).registerHook((g) => g)).to.throw(/needs a tensor that requires gradients/);
    // @ts-expect-error a number is no function
    expect(() => leaf(1).registerHook(3)).to.throw(/the hook is no function/);
  });

  it('throws what the hook threw, and leaves autograd usable', () => {
    const x = leaf(1);
    for (const thrown of [new RangeError('mine'), { not: 'an error' }, 'text', undefined]) {
      const hook = x.registerHook(() => {
        throw thrown as Error;
      });
      let caught: unknown = 'nothing';
      try {
        x.sum().backward();
      } catch (error) {
        caught = error;
      }
      expect(caught).to.equal(thrown);
      hook.remove();
    }
    x.sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([1]);
  });

  it('runs without recording unless the pass is recorded, whatever the hook switches meanwhile', () => {
    const recorded: boolean[] = [];
    const run = (createGraph: boolean) => {
      const x = leaf(3);
      const y = x.mul(x);
      y.registerHook((g) => {
        noGrad(() => g.mul(1));
        const twice = g.mul(2);
        recorded.push(twice.requiresGrad);
        return twice;
      });
      return [x, grad(y.mul(x).sum(), x, { createGraph })[0]!] as const;
    };
    run(false);
    const [x, g] = run(true);
    expect(recorded).to.deep.equal([false, true]);
    // 2x·2x + y, with y = x²; then 8x + 2·2x, since y's hook runs again. PyTorch gives the same.
    expect(g.tolist()).to.deep.equal([45]);
    expect(grad(g.sum(), x)[0]!.tolist()).to.deep.equal([36]);
  });

  it('may call backward itself', () => {
    const [x, other] = [leaf(2), leaf(5)];
    x.registerHook(() => enableGrad(() => other.mul(other).sum().backward()));
    x.sum().backward();
    expect([x.grad!.tolist(), other.grad!.tolist()]).to.deep.equal([[1], [10]]);
  });

  it('nests deeper than the engine goes on one thread', () => {
    const nest = (depth: number): number => {
      const x = leaf(1);
      let below = 0;
      x.registerHook(() => {
        below = depth === 0 ? 0 : enableGrad(() => nest(depth - 1));
      });
      x.sum().backward();
      return below + 1;
    };
    expect(nest(70)).to.equal(71);
  });

  it('makes its tensors in the scope of the call, and the gradient outlives it', () => {
    const x = leaf(2);
    let made: Tensor | undefined;
    let given: Tensor | undefined;
    x.registerHook((g) => {
      given = g;
      return (made = g.mul(4));
    });
    scope(() => {
      x.sum().backward();
      expect(made!.tolist()).to.deep.equal([4]);
    });
    expect([made!.isDisposed, given!.isDisposed]).to.deep.equal([true, true]);
    expect(x.grad!.tolist()).to.deep.equal([4]);
  });

  it('is freed with its tensor', async () => {
    let collected = 0;
    const registry = new FinalizationRegistry(() => ++collected);
    for (let i = 0; i < 100; ++i) {
      scope(() => {
        const x = leaf(1);
        const hook = (g: Tensor) => void x.add(g);
        registry.register(hook, i);
        x.registerHook(hook);
        x.mul(2).registerHook(hook);
        x.mul(2).sum().backward();
      });
    }
    for (let i = 0; i < 20 && collected < 100; ++i) {
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
    }
    expect(collected).to.equal(100);
  });

  it('does not pile up tensors', () => {
    const x = leaf(1);
    const once = () =>
      scope(() => {
        const hook = x.registerHook((g) => g.mul(2));
        x.sum().backward();
        hook.remove();
      });
    once();
    collectGarbage();
    const before = memory.stats().tensors;
    for (let i = 0; i < 1000; ++i) once();
    expect(memory.stats().tensors).to.be.at.most(before);
  });
});

describe('registerPostAccumulateGradHook', () => {
  it('gets the leaf after its gradient was accumulated', () => {
    const x = leaf(1, 2);
    const seen: unknown[] = [];
    const hook = x.registerPostAccumulateGradHook((parameter) => {
      expect(parameter).to.equal(x);
      seen.push(parameter.grad!.tolist());
      parameter.grad = null;
    });
    x.mul(3).sum().backward();
    x.mul(4).sum().backward();
    hook.remove();
    x.mul(5).sum().backward();
    expect(seen).to.deep.equal([
      [3, 3],
      [4, 4],
    ]);
    expect(x.grad!.tolist()).to.deep.equal([5, 5]);
  });

  it('refuses tensors that are no leaves', () => {
    const x = leaf(1);
    expect(() => x.mul(2).registerPostAccumulateGradHook(() => {})).to.throw(/non-leaf/);
    expect(() => ones([1]).registerPostAccumulateGradHook(() => {})).to.throw(/requires gradients/);
  });

  it('throws what the hook threw', () => {
    const x = leaf(1);
    const error = new Error('mine');
    x.registerPostAccumulateGradHook(() => {
      throw error;
    });
    expect(() => x.sum().backward()).to.throw(error);
    expect(x.grad!.tolist()).to.deep.equal([1]);
  });
});

describe('retainGrad', () => {
  it('does nothing for a leaf, and refuses a tensor without gradients', () => {
    const x = leaf(1);
    x.retainGrad();
    expect(x.retainsGrad).to.equal(false);
    expect(() => ones([1]).retainGrad()).to.throw(/requires_grad=False/);
  });
});
