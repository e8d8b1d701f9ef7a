import { autograd, enableGrad, grad, memory, noGrad, ones, scope, tensor, zeros, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { collectGarbage } from '../support/garbage.mjs';

const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requiresGrad: true });
const list = (x: Tensor | null) => x?.tolist();

class Cube extends autograd.Function {
  static forward(ctx: autograd.FunctionContext, x: Tensor): Tensor {
    ctx.saveForBackward(x);
    return x.pow(3);
  }
  static backward(ctx: autograd.FunctionContext, gradient: Tensor): Tensor {
    const [x] = ctx.savedTensors;
    return gradient.mul(x!.square()).mul(3);
  }
}

type Scaling = autograd.FunctionContext<{ factor: number }>;

class Scale extends autograd.Function {
  static forward(ctx: Scaling, x: Tensor, factor: number): Tensor {
    ctx.factor = factor;
    return x.mul(factor);
  }
  static backward(ctx: Scaling, gradient: Tensor): autograd.FunctionGradients {
    return [gradient.mul(ctx.factor), null];
  }
}

/** A Function with these two methods, which the test looks at. */
function define(
  forward: (ctx: autograd.FunctionContext, ...args: Tensor[]) => Tensor | Tensor[],
  backward: (ctx: autograd.FunctionContext, ...gradients: Tensor[]) => unknown,
) {
  return class F extends autograd.Function {
    static forward(ctx: autograd.FunctionContext, ...args: Tensor[]): Tensor | Tensor[] {
      return forward(ctx, ...args);
    }
    static backward(ctx: autograd.FunctionContext, ...gradients: Tensor[]): autograd.FunctionGradients {
      return backward(ctx, ...gradients) as autograd.FunctionGradients;
    }
  };
}

describe('Function', () => {
  it('runs its own derivative, and is named after the class', () => {
    const x = leaf(2, 3);
    const y = Cube.apply(x);
    expect([y.gradFn, y.isLeaf, y.requiresGrad]).to.deep.equal(['CubeBackward', false, true]);
    y.sum().backward();
    expect(list(x.grad)).to.deep.equal([12, 27]);
  });

  it('differentiates twice and three times', () => {
    const x = leaf(2);
    const first = grad(Cube.apply(x).sum(), x, { createGraph: true })[0]!;
    const second = grad(first.sum(), x, { createGraph: true })[0]!;
    const third = grad(second.sum(), x)[0]!;
    expect([first, second, third].map(list)).to.deep.equal([[12], [12], [6]]);
  });

  it('takes arguments that are no tensors, and keeps fields', () => {
    const x = leaf(1, 2);
    Scale.apply(x, 5).sum().backward();
    expect(list(x.grad)).to.deep.equal([5, 5]);
    // @ts-expect-error the factor is a number
    expect(() => Scale.apply(x, 'five')).to.throw();
    // @ts-expect-error the factor is missing
    expect(() => Scale.apply(x)).to.throw();
  });

  it('gives several results, some without a gradient', () => {
    let seen: unknown;
    const F = define(
      (ctx, x) => {
        const [values, indices] = x.sort();
        ctx.markNonDifferentiable(indices);
        ctx.saveForBackward(indices);
        return [values, indices];
      },
      (ctx, values, indices) => {
        seen = list(indices);
        return zeros([3], { dtype: 'float64' }).indexAdd(0, ctx.savedTensors[0]!, values);
      },
    );
    const x = leaf(3, 1, 2);
    const [values, indices] = F.apply(x) as [Tensor, Tensor];
    expect([values.requiresGrad, indices.requiresGrad]).to.deep.equal([true, false]);
    values
      .mul(tensor([10, 20, 30], { dtype: 'float64' }))
      .sum()
      .backward();
    expect([list(x.grad), seen]).to.deep.equal([
      [30, 10, 20],
      [0, 0, 0],
    ]);
  });

  it('fills missing gradients with zeros unless told not to', () => {
    const seen: unknown[] = [];
    const make = (materialize: boolean) =>
      define(
        (ctx, x) => {
          ctx.setMaterializeGrads(materialize);
          return [x.mul(1), x.mul(2)];
        },
        (_ctx, a, b) => {
          seen.push(b === null ? null : list(b));
          return a;
        },
      );
    for (const materialize of [true, false]) {
      const outputs = make(materialize).apply(leaf(1, 1)) as Tensor[];
      outputs[0]!.sum().backward();
    }
    expect(seen).to.deep.equal([[0, 0], null]);
  });

  it('tells which arguments need a gradient', () => {
    const F = define(
      (ctx, a, b) => {
        expect(ctx.needsInputGrad).to.deep.equal([true, false]);
        return a.mul(b);
      },
      (ctx, g) => {
        expect(ctx.needsInputGrad).to.deep.equal([true, false]);
        return [g.mul(2), null];
      },
    );
    const x = leaf(1);
    (F.apply(x, ones([1], { dtype: 'float64' })) as Tensor).backward();
    expect(list(x.grad)).to.deep.equal([2]);
  });

  it('marks what it changes in place', () => {
    const Double = define(
      (ctx, x) => {
        ctx.markDirty(x.mul_(2));
        return x;
      },
      (_ctx, g) => g.mul(2),
    );
    const x = leaf(3);
    const y = x.mul(1);
    const z = Double.apply(y) as Tensor;
    expect(z).to.equal(y);
    expect(y.gradFn).to.equal('FBackward');
    expect(list(grad(z.sum(), x)[0]!)).to.deep.equal([2]);
    expect(() => Double.apply(leaf(1))).to.throw(/leaf Variable that requires grad/);
    const saved = leaf(1).exp(); // ExpBackward0 needs its result
    Double.apply(saved);
    expect(() => saved.sum().backward()).to.throw(/modified by an inplace operation/);
  });

  it('gives an argument that it returns, or a view, a node of its own', () => {
    const Same = define(
      (_ctx, x) => x,
      (_ctx, g) => g.mul(7),
    );
    const x = leaf(1, 2);
    const y = Same.apply(x) as Tensor;
    expect([x.isLeaf, y.gradFn]).to.deep.equal([true, 'FBackward']);
    y.sum().backward();
    expect(list(x.grad)).to.deep.equal([7, 7]);
    const View = define(
      (_ctx, t) => t.view(2, 1),
      (_ctx, g) => g.view(2).mul(3),
    );
    const z = leaf(1, 2);
    const viewed = View.apply(z) as Tensor;
    expect(viewed.shape).to.deep.equal([2, 1]);
    viewed.sum().backward();
    expect(list(z.grad)).to.deep.equal([3, 3]);
  });

  it('saves with a check of changes in place, and until the graph is released', () => {
    const x = leaf(2);
    const inner = x.mul(1);
    const y = Cube.apply(inner);
    inner.add_(1);
    expect(() => y.backward()).to.throw(/modified by an inplace operation/);
    const z = Cube.apply(leaf(2)).sum();
    z.backward({ retainGraph: true });
    z.backward();
    expect(() => z.backward()).to.throw(/Trying to backward through the graph a second time/);
  });

  it('saves its results too', () => {
    const Exp = define(
      (ctx, x) => {
        const y = x.exp();
        ctx.saveForBackward(y);
        return y;
      },
      (ctx, g) => g.mul(ctx.savedTensors[0]!),
    );
    const x = leaf(1);
    const first = grad((Exp.apply(x) as Tensor).sum(), x, { createGraph: true })[0]!;
    const second = grad(first.sum(), x)[0]!;
    expect([first.item(), second.item()]).to.deep.equal([Math.E, Math.E]);
  });

  it('records nothing without need', () => {
    const x = leaf(2);
    expect(noGrad(() => Cube.apply(x)).requiresGrad).to.equal(false);
    expect(Cube.apply(x.detach()).gradFn).to.equal(null);
    const F = define(
      (_ctx, t) => {
        expect(t.mul(2).requiresGrad).to.equal(false);
        expect(enableGrad(() => t.mul(2)).requiresGrad).to.equal(true);
        return t.mul(2);
      },
      (_ctx, g) => g,
    );
    F.apply(x);
  });

  it('refuses wrong gradients as PyTorch does', () => {
    const refused = (backward: (g: Tensor) => unknown, ...others: Tensor[]) => {
      const F = define(
        (_ctx, x) => x.mul(2),
        (_ctx, g) => backward(g),
      );
      const y = F.apply(leaf(1, 2), ...others) as Tensor;
      return expect(() => y.sum().backward());
    };
    refused((g) => [g, g]).to.throw('function FBackward returned an incorrect number of gradients (expected 1, got 2)');
    refused((g) => g, ones([1])).to.throw(/incorrect number of gradients \(expected 2, got 1\)/);
    refused((g) => g.narrow(0, 0, 1).reshape([1, 1, 1])).to.throw(/returned an invalid gradient at index 0/);
    refused(() => 3).to.throw(/F\.backward: expected a Tensor or nothing, got 3/);
    refused(async () => Promise.resolve(null)).to.throw(/returned a Promise/);
    refused((g) => [g, null, null]).not.to.throw();
    class TwoGradients extends autograd.Function {
      static forward(_ctx: autograd.FunctionContext, x: Tensor, factor: number): Tensor {
        return x.mul(factor);
      }
      static backward(_ctx: autograd.FunctionContext, g: Tensor): Tensor[] {
        return [g, g];
      }
    }
    const y = TwoGradients.apply(leaf(1), 3).sum();
    expect(() => y.backward()).to.throw(/gradient different than null at position 2/);
  });

  it('throws what its methods threw', () => {
    const error = new RangeError('mine');
    const thrower = () => {
      throw error;
    };
    expect(() => define(thrower, (_ctx, g) => g).apply(leaf(1))).to.throw(error);
    const y = define((_ctx, x) => x.mul(1), thrower).apply(leaf(1)) as Tensor;
    expect(() => y.sum().backward()).to.throw(error);
  });

  it('refuses a class without its methods', () => {
    class Half extends autograd.Function {
      static forward(_ctx: autograd.FunctionContext, x: Tensor): Tensor {
        return x;
      }
    }
    // @ts-expect-error there is no backward
    expect(() => Half.apply(leaf(1))).to.throw(/Half has no static backward/);
  });

  it('keeps to scopes, and is freed with its graph', async () => {
    let collected = 0;
    const registry = new FinalizationRegistry(() => ++collected);
    const F = define(
      (ctx, x) => {
        registry.register(ctx, 0);
        ctx.saveForBackward(x);
        return x.mul(2);
      },
      (ctx, g) => g.mul(ctx.savedTensors[0]!),
    );
    const x = leaf(3);
    collectGarbage();
    const before = memory.stats().tensors;
    const apply = () => {
      const kept = scope(() => {
        (F.apply(x) as Tensor).sum().backward();
        return F.apply(x) as Tensor;
      });
      expect(kept.tolist()).to.deep.equal([6]);
      kept.dispose();
    };
    for (let i = 0; i < 100; ++i) apply();
    expect(memory.stats().tensors).to.be.at.most(before + 1); // x.grad has no handle; x itself has
    expect(list(x.grad)).to.deep.equal([300]);
    for (let i = 0; i < 20 && collected < 200; ++i) {
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
    }
    expect(collected).to.equal(200);
  });
});
