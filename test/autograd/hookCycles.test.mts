import { expect } from 'chai';
import { autograd, memory, nn, ones, randn, scope, type Tensor } from 'aiforge';

import { collectAll } from '../support/garbage.mjs';

const many = 300;

/** How many more tensors are alive once garbage was collected than before `work`. */
async function left(work: () => unknown): Promise<number> {
  await collectAll();
  const before = memory.stats().tensors;
  // JavaScript keeps what a WeakRef gave until its turn ends.
  for (let turn = 0; turn < 3; ++turn) {
    work();
    await collectAll();
  }
  return memory.stats().tensors - before;
}

class KeepsOutput extends autograd.Function {
  static forward(ctx: autograd.FunctionContext<{ y: Tensor }>, x: Tensor): Tensor {
    return (ctx.y = x.mul(2));
  }
  static backward(ctx: autograd.FunctionContext<{ y: Tensor }>, grad: Tensor): Tensor {
    return grad.mul(ctx.y);
  }
}

describe('circles through the graph', () => {
  const circles: Record<string, () => unknown> = {
    'of a leaf and its hook': () => {
      const w = randn([3]).requiresGrad_();
      w.registerHook((grad) => grad.mul(w.detach()));
      w.sum().backward();
    },
    'of a leaf and its post-accumulate hook': () => {
      const w = randn([3]).requiresGrad_();
      w.registerPostAccumulateGradHook(() => void (w.grad = null));
      w.sum().backward();
    },
    'of an inner tensor and its hook': () => {
      const y = ones([3], { requiresGrad: true }).mul(2);
      y.registerHook((grad) => grad.mul(y));
    },
    'of a module and the hook of its weight': () => {
      const layer = new nn.Linear(2, 2);
      layer.weight.registerHook((grad) => (layer.training ? grad : grad.mul(0)));
      layer
        .forward(ones([1, 2]))
        .sum()
        .backward();
    },
    'of a Function whose output left a scope': () => scope(() => KeepsOutput.apply(randn([3]).requiresGrad_())),
    'of a Function whose context keeps its output': () => KeepsOutput.apply(randn([3]).requiresGrad_()),
  };
  for (const [what, make] of Object.entries(circles)) {
    it(`${what} are collected`, async () => {
      const alive = await left(() => {
        for (let i = 0; i < many / 3; ++i) make();
      });
      expect(alive).to.be.below(40);
    });
  }

  it('do not grow while a loop runs that never waits', () => {
    const before = memory.stats().tensors;
    for (let i = 0; i < 20 * many; ++i) {
      const w = ones([3]).requiresGrad_();
      w.registerHook((grad) => grad.mul(w));
    }
    expect(memory.stats().tensors - before).to.be.below(20 * many);
  });

  const graphs: Record<string, (note: () => void) => Tensor> = {
    'a leaf': (note) => {
      const w = ones([3], { requiresGrad: true });
      w.registerHook(() => (note(), w.mul(2)));
      return w.mul(2).sum();
    },
    'an inner tensor': (note) => {
      const y = ones([3], { requiresGrad: true }).mul(2);
      y.registerHook(() => (note(), y.mul(2)));
      return y.sum();
    },
    'a tensor that was changed in place since': (note) => {
      const y = ones([3], { requiresGrad: true }).mul(2);
      const z = y.mul(3);
      y.registerHook(() => (note(), y.mul(2)));
      y.add_(1);
      return z.sum();
    },
    'a Function': (note) => {
      class Noted extends KeepsOutput {
        static override backward(ctx: autograd.FunctionContext<{ y: Tensor }>, grad: Tensor): Tensor {
          note();
          return super.backward(ctx, grad);
        }
      }
      return Noted.apply(randn([3]).requiresGrad_()).sum();
    },
  };
  for (const [what, make] of Object.entries(graphs)) {
    it(`keep the hook of ${what} while the graph that needs it lives`, async () => {
      let called = 0;
      const losses = Array.from({ length: many }, () => make(() => void ++called));
      // Others grow meanwhile, so that collections look at these too.
      for (let i = 0; i < 2 * many; ++i) circles['of a leaf and its hook']!();
      await collectAll();
      for (const loss of losses) loss.backward();
      expect(called).to.equal(many);
    });
  }

  it('keep a hook while only its tensor is reachable', async () => {
    let called = 0;
    const leaves = Array.from({ length: many }, () => {
      const w = ones([2], { requiresGrad: true });
      w.registerHook(() => void ++called);
      return w;
    });
    for (let i = 0; i < 2 * many; ++i) circles['of a leaf and its hook']!();
    await collectAll();
    for (const w of leaves) w.sum().backward();
    expect(called).to.equal(many);
  });

  it('end where the hook is removed, whatever keeps its handle', async () => {
    const handles: { remove(): void }[] = [];
    const w = ones([2], { requiresGrad: true });
    const alive = await left(() => {
      for (let i = 0; i < many; ++i) {
        const large = ones([2]);
        const handle = w.registerHook((grad) => grad.mul(large));
        handle.remove();
        handles.push(handle);
      }
    });
    expect(alive).to.be.below(40);
    expect(handles).to.have.length(3 * many);
  });
});
