import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { backward, backwardAsync } from '#lib/autograd/namespace.js';
import {
  enableGrad,
  grad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  noGrad,
  setGradEnabled,
} from '#lib/autograd/index.js';
import { ones, scope, tensor, type Tensor } from '#lib/tensor/index.js';

const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requiresGrad: true });

describe('backward', () => {
  it('gives gradients, and accumulates them', () => {
    const x = leaf(1, 2, 3);
    expect(x.grad).to.equal(null);
    x.mul(x).sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([2, 4, 6]);
    x.sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([3, 5, 7]);
    x.grad = null;
    expect(x.grad).to.equal(null);
    x.grad = ones([3], { dtype: 'float64' });
    expect(x.grad.tolist()).to.deep.equal([1, 1, 1]);
  });

  it('takes a gradient for an output of several elements, and needs it', () => {
    const x = leaf(1, 2);
    x.mul(3).backward({ gradient: tensor([1, 10], { dtype: 'float64' }) });
    expect(x.grad!.tolist()).to.deep.equal([3, 30]);
    expect(() => x.mul(3).backward()).to.throw(/grad can be implicitly created only for scalar outputs/);
    expect(() => (x.grad = ones([3]))).to.throw(/must have its shape/);
    expect(() => (x.grad = x)).to.throw(/a tensor cannot be its own gradient/);
  });

  it('goes through a graph once unless it is retained', () => {
    const x = leaf(3);
    const y = x.mul(x).sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(x.grad!.tolist()).to.deep.equal([12]);
    expect(() => y.backward())
      .to.throw(/backward through the graph a second time/)
      .with.property('code', 'OPERATOR_FAILED');
  });

  it('accumulates into the inputs named only', () => {
    const [a, b] = [leaf(2), leaf(5)];
    a.mul(b)
      .sum()
      .backward({ inputs: [a] });
    expect(a.grad!.tolist()).to.deep.equal([5]);
    expect(b.grad).to.equal(null);
  });

  it('keeps a gradient through the scope that made it', () => {
    const x = leaf(2);
    scope(() => x.mul(x).sum().backward());
    expect(x.grad!.tolist()).to.deep.equal([4]);
  });

  it('is refused without a graph, after a change in place, and for integers', () => {
    expect(() => ones([1]).backward()).to.throw(/does not require grad/);
    const x = leaf(2);
    const y = x.exp();
    const z = y.sum();
    y.add_(1);
    expect(() => z.backward()).to.throw(/modified by an inplace operation/);
    expect(() => tensor([1, 2], { requiresGrad: true })).to.throw(/only Tensors of floating point/i);
    expect(() => x.add_(1)).to.throw(/leaf Variable that requires grad/);
  });

  it('keeps the gradient of an inner tensor on request', () => {
    const x = leaf(3);
    const [kept, plain] = [x.mul(2), x.mul(3)];
    kept.retainGrad();
    kept.mul(plain).sum().backward();
    expect(kept.grad!.tolist()).to.deep.equal([9]);
    expect(plain.grad).to.equal(null);
    expect(x.grad!.tolist()).to.deep.equal([36]);
  });

  it('tells leaves, nodes and what is recorded', () => {
    const x = leaf(1);
    const y = x.exp();
    expect([x.isLeaf, x.gradFn, x.requiresGrad]).to.deep.equal([true, null, true]);
    expect([y.isLeaf, y.gradFn, y.requiresGrad]).to.deep.equal([false, 'ExpBackward0', true]);
    const apart = y.detach();
    expect([apart.isLeaf, apart.gradFn, apart.requiresGrad]).to.deep.equal([true, null, false]);
    apart.zero_();
    expect(y.tolist()).to.deep.equal([0]);
    expect(y.add(x).gradFn).to.equal('AddBackward0');
    // As in Python, where a number is a tensor to these four.
    const names = [x.add(2), x.sub(2), x.mul(2), x.div(2), x.pow(2)].map(({ gradFn }) => gradFn);
    expect(names).to.deep.equal(['AddBackward0', 'SubBackward0', 'MulBackward0', 'DivBackward0', 'PowBackward0']);
    expect(() => y.requiresGrad_(false)).to.throw();
  });
});

describe('grad', () => {
  it('leaves the inputs untouched', () => {
    const x = leaf(2);
    expect(grad(x.pow(3).sum(), x)[0]!.tolist()).to.deep.equal([12]);
    expect(x.grad).to.equal(null);
  });

  it('differentiates twice and three times', () => {
    const x = leaf(2);
    const first = grad(x.pow(4).sum(), x, { createGraph: true })[0]!;
    const second = grad(first.sum(), x, { createGraph: true })[0]!;
    const third = grad(second.sum(), x)[0]!;
    expect([first, second, third].map((t) => t.tolist())).to.deep.equal([[32], [48], [48]]);
  });

  it('takes several outputs and inputs, and their gradients', () => {
    const [x, y] = [leaf(2), leaf(3)];
    const outputs = [x.mul(y), x.add(y)];
    const gradOutputs = [tensor([1], { dtype: 'float64' }), tensor([10], { dtype: 'float64' })];
    expect(grad(outputs, [x, y], { gradOutputs }).map((g) => g!.tolist())).to.deep.equal([[13], [12]]);
  });

  it('refuses an unused input unless it is allowed', () => {
    const [x, y] = [leaf(2), leaf(3)];
    expect(() => grad(x.sum(), [x, y])).to.throw(/appears to not have been used in the graph/);
    const [used, unused] = grad(x.sum(), [x, y], { allowUnused: true });
    expect([used!.tolist(), unused]).to.deep.equal([[1], null]);
  });

  it('gives zeros for an unused input on request', () => {
    const [x, y] = [leaf(2), leaf(3, 4)];
    const [used, unused] = grad(x.sum(), [x, y], { materializeGrads: true });
    expect([used!.tolist(), unused!.tolist()]).to.deep.equal([[1], [0, 0]]);
    expect(grad(x.sum(), y, { materializeGrads: true, createGraph: true })[0]!.requiresGrad).to.equal(true);
    expect(() => grad(x.sum(), y, { materializeGrads: true, allowUnused: false })).to.throw(/allowUnused must be true/);
  });
});

describe('autograd.backward', () => {
  it('takes several roots, with gradients where they need them', async () => {
    const x = leaf(1, 2);
    const roots = () => [x.mul(x).sum(), x.mul(10)];
    const gradients = [null, tensor([1, 2], { dtype: 'float64' })];
    backward(roots(), gradients);
    expect(x.grad!.tolist()).to.deep.equal([12, 24]);
    await backwardAsync(roots(), gradients);
    expect(x.grad!.tolist()).to.deep.equal([24, 48]);
    backward(x.sum());
    expect(x.grad!.tolist()).to.deep.equal([25, 49]);
    expect(() => backward(roots())).to.throw(/grad can be implicitly created only for scalar outputs/);
    expect(() => backward(roots(), [null])).to.throw();
  });
});

describe('modes', () => {
  it('refuse generator functions, whose bodies would run outside of them', () => {
    const bodies = [function* () { yield 1; }, async function* () { yield 1; }]; // prettier-ignore
    for (const enter of [noGrad, enableGrad, inferenceMode, scope] as ((body: () => unknown) => unknown)[]) {
      for (const body of bodies) expect(() => enter(body)).to.throw('a generator function');
    }
  });

  const recorded = (x: Tensor) => x.mul(2).requiresGrad;

  it('nest', () => {
    const x = leaf(1);
    expect(isGradEnabled()).to.equal(true);
    noGrad(() => {
      expect([isGradEnabled(), recorded(x)]).to.deep.equal([false, false]);
      enableGrad(() => expect([isGradEnabled(), recorded(x)]).to.deep.equal([true, true]));
      expect(recorded(x)).to.equal(false);
      scope(() => expect(recorded(x)).to.equal(false));
    });
    expect(recorded(x)).to.equal(true);
    expect(() =>
      noGrad(() => {
        throw new RangeError();
      }),
    ).to.throw(RangeError);
    expect(recorded(x)).to.equal(true);
  });

  it('make inference tensors, which take no part in training', () => {
    const x = leaf(1);
    const y = inferenceMode(() => {
      expect([isInferenceModeEnabled(), isGradEnabled()]).to.deep.equal([true, false]);
      return x.mul(2);
    });
    expect(isInferenceModeEnabled()).to.equal(false);
    expect(recorded(x)).to.equal(true);
    expect(() => x.mul(y)).to.throw(/[Ii]nference tensors cannot be saved for backward/);
    expect(inferenceMode(() => enableGrad(() => recorded(x)))).to.equal(true);
  });

  it('can be chosen by a value', () => {
    const x = leaf(1);
    for (const outer of [true, false]) {
      setGradEnabled(outer, () => {
        expect(recorded(x)).to.equal(outer);
        setGradEnabled(!outer, () => expect(recorded(x)).to.equal(!outer));
        expect(recorded(x)).to.equal(outer);
      });
    }
  });

  it('follow await where they are chosen by a value, interleaved', async () => {
    const x = leaf(1);
    const tasks = Array.from({ length: 6 }, (_, i) =>
      setGradEnabled(i % 2 === 0, async () => {
        for (let step = 0; step < 5; ++step) {
          await delay((i + step) % 2);
          expect(recorded(x)).to.equal(i % 2 === 0);
          setGradEnabled(step % 2 === 0, () => expect(recorded(x)).to.equal(step % 2 === 0));
        }
      }),
    );
    await Promise.all(tasks);
  });

  it('follow await, each task its own', async () => {
    const x = leaf(1);
    const modes = [
      [noGrad, false],
      [enableGrad, true],
      [inferenceMode, false],
    ] as const;
    const task = (i: number) => {
      const [mode, expected] = modes[i % 3]!;
      return mode(async () => {
        for (let step = 0; step < 10; ++step) {
          expect(recorded(x)).to.equal(expected);
          expect(isInferenceModeEnabled()).to.equal(mode === inferenceMode);
          await (step % 2 === 0 ? delay((i * 7 + step) % 3) : Promise.resolve());
          scope(() => expect(recorded(x)).to.equal(expected));
        }
      });
    };
    const running = Promise.all(Array.from({ length: 9 }, (_, i) => task(i)));
    await delay(1);
    expect(recorded(x)).to.equal(true);
    await running;
    expect(recorded(x)).to.equal(true);
  });

  it('end with their body, whatever still runs and whether or not another task is under way', async () => {
    const x = leaf(1);
    const late = (others: boolean) => {
      let result: Promise<boolean> | undefined;
      noGrad(() => {
        result = delay(2).then(() => recorded(x));
      });
      const busy = others ? noGrad(() => delay(10)) : undefined;
      return Promise.all([result!, busy]).then(([value]) => value);
    };
    expect([await late(false), await late(true)]).to.deep.equal([true, true]);
  });
});
