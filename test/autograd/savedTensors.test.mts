import { autograd, checkpoint, grad, memory, noGrad, scope, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { collectGarbage } from '../support/garbage.mjs';

const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requiresGrad: true });
const list = (x: Tensor | null) => x?.tolist();
const { savedTensorsHooks } = autograd;

describe('savedTensorsHooks', () => {
  it('has what operators save go through both', () => {
    const x = leaf(2, 3);
    const packed: unknown[] = [];
    const y = savedTensorsHooks(
      (t) => {
        packed.push(t.tolist());
        return t.mul(10);
      },
      (t) => t.div(10),
      () => x.mul(x).exp(),
    );
    expect(packed).to.deep.equal([
      [2, 3],
      [2, 3],
      [Math.exp(4), Math.exp(9)],
    ]);
    y.sum().backward();
    const plain = leaf(2, 3);
    plain.mul(plain).exp().sum().backward();
    expect(x.grad!.allclose(plain.grad!)).to.equal(true);
  });

  it('takes anything for packed, differentiates twice, and nests', () => {
    const x = leaf(3);
    const order: string[] = [];
    const y = savedTensorsHooks(
      (t) => t.item<number>(),
      (value) => {
        order.push('outer');
        return tensor([value], { dtype: 'float64' });
      },
      () => {
        const inner = savedTensorsHooks(
          (t) => [t],
          ([t]) => {
            order.push('inner');
            return t!;
          },
          () => x.pow(3),
        );
        return inner.mul(x);
      },
    );
    const first = grad(y.sum(), x, { createGraph: true })[0]!;
    const second = grad(first.sum(), x)[0]!;
    expect([list(first), list(second)]).to.deep.equal([[108], [108]]);
    expect(order).to.include.members(['outer', 'inner']);
  });

  it('follows await, and only its own body', async () => {
    const x = leaf(2);
    let packs = 0;
    const count = (t: Tensor) => {
      ++packs;
      return t;
    };
    const both = await Promise.all([
      savedTensorsHooks(
        count,
        (t) => t,
        async () => {
          await delay(2);
          return x.exp();
        },
      ),
      delay(1).then(() => x.exp()),
    ]);
    expect(packs).to.equal(1);
    both[0].add(both[1]).sum().backward();
    expect(list(x.grad)).to.deep.equal([2 * Math.exp(2)]);
  });

  it('refuses a pack hook that changes its tensor, and throws what hooks throw', () => {
    const x = leaf(1);
    const run = (pack: (t: Tensor) => unknown, unpack: (packed: unknown) => unknown) =>
      savedTensorsHooks(pack, unpack as (packed: unknown) => Tensor, () => x.exp());
    expect(() =>
      run(
        (t) => t.add_(1),
        () => x,
      ),
    ).to.throw(/modifying its input in place/);
    const mine = new RangeError('mine');
    const thrower = () => {
      throw mine;
    };
    expect(() => run(thrower, () => x)).to.throw(mine);
    expect(() =>
      run((t) => t, thrower)
        .sum()
        .backward(),
    ).to.throw(mine);
    expect(() =>
      run(
        (t) => t,
        () => 3,
      )
        .sum()
        .backward(),
    ).to.throw(/expected a Tensor or nothing, got 3/);
    expect(() =>
      run(
        async (t) => Promise.resolve(t),
        () => x,
      ),
    ).to.throw(/returned a Promise/);
  });

  it('has backwardAsync unpack on this thread', async () => {
    const x = leaf(2);
    const y = savedTensorsHooks(
      (t) => ({ t }),
      ({ t }) => t.clone(),
      () => x.exp().mul(x),
    );
    await y.sum().backwardAsync();
    expect(x.grad!.item()).to.be.closeTo(3 * Math.exp(2), 1e-12);
  });
});

describe('checkpoint', () => {
  const fn = (t: Tensor) => t.mul(2).exp().sin().mul(t);
  const plain = (x: Tensor) => fn(x).sum();

  for (const useReentrant of [false, true]) {
    const how = useReentrant ? 'reentrant' : 'not reentrant';
    it(`gives the same gradients, ${how}`, () => {
      const [a, b] = [leaf(0.1, 0.2), leaf(0.1, 0.2)];
      plain(a).backward();
      let runs = 0;
      checkpoint(
        (t: Tensor) => {
          ++runs;
          return fn(t);
        },
        b,
        { useReentrant },
      )
        .sum()
        .backward();
      expect(runs).to.equal(2);
      expect(b.grad!.equal(a.grad!)).to.equal(true);
    });

    it(`takes several arguments and gives several results, ${how}`, () => {
      const [x, y] = [leaf(2), leaf(3)];
      const [product, sum, label] = checkpoint(
        (a: Tensor, factor: number, b: Tensor): [Tensor, Tensor, string] => [
          a.mul(b).mul(factor),
          a.add(b),
          `times ${factor}`,
        ],
        x,
        10,
        y,
        { useReentrant },
      );
      expect(label).to.equal('times 10');
      product.add(sum.mul(100)).backward();
      expect([list(x.grad), list(y.grad)]).to.deep.equal([[130], [120]]);
    });

    it(`records nothing in noGrad, ${how}`, () => {
      let runs = 0;
      const y = noGrad(() => checkpoint((t: Tensor) => (++runs, fn(t)), leaf(1), { useReentrant }));
      expect([runs, y.requiresGrad]).to.deep.equal([1, false]);
    });
  }

  it('nests', () => {
    const [a, b] = [leaf(0.3), leaf(0.3)];
    fn(fn(a)).add(fn(a)).backward();
    let runs = 0;
    const counted = (t: Tensor) => {
      ++runs;
      return fn(t);
    };
    checkpoint((t: Tensor) => checkpoint(counted, checkpoint(counted, t)).add(checkpoint(counted, t)), b).backward();
    expect(b.grad!.equal(a.grad!)).to.equal(true);
    expect(runs).to.be.greaterThan(6);
  });

  it('works with grad, twice, and over a graph that is retained', () => {
    const x = leaf(0.7);
    const y = checkpoint(fn, x).sum();
    const first = grad(y, x, { createGraph: true })[0]!;
    const second = grad(first.sum(), x, { retainGraph: true })[0]!;
    const z = plain(x);
    const expected = grad(z, x, { createGraph: true })[0]!;
    expect(first.equal(expected)).to.equal(true);
    expect(second.equal(grad(expected.sum(), x)[0]!)).to.equal(true);
    expect(grad(y, x)[0]!.equal(first)).to.equal(true);
    const reentrant = checkpoint(fn, x, { useReentrant: true }).sum();
    expect(() => grad(reentrant, x)).to.throw(/leave useReentrant out/);
  });

  it('refuses to be reentrant under grad on another thread, too', async () => {
    const other = leaf(1).exp().sum().backwardAsync();
    const x = leaf(0.7);
    const reentrant = checkpoint(fn, x, { useReentrant: true }).sum();
    expect(() => grad(reentrant, x)).to.throw(/leave useReentrant out/);
    await other;
  });

  it('is checked against changes in place and functions that do otherwise the second time', () => {
    const inner = leaf(1).mul(1);
    const y = checkpoint(fn, inner);
    inner.add_(1);
    expect(() => y.sum().backward()).to.throw(/modified by an inplace operation/);
    let first = true;
    const other = checkpoint((t: Tensor) => {
      const result = first ? t.exp().exp() : t.exp();
      first = false;
      return result;
    }, leaf(1));
    expect(() => other.sum().backward()).to.throw(/saved 2 tensors for backward, and 1 when it ran again/);
    let size = 1;
    const grown = checkpoint((t: Tensor) => t.expand([size++]).exp().sum(), leaf(1));
    expect(() => grown.backward()).to.throw(/float64\[1\] on cpu for backward, and float64\[2\] on cpu/);
    expect(() => checkpoint(async (t: Tensor) => Promise.resolve(t), leaf(1))).to.throw(/returned a Promise/);
  });

  it('throws what the function throws when it runs again', () => {
    const mine = new RangeError('mine');
    let runs = 0;
    const y = checkpoint((t: Tensor) => {
      if (++runs === 2) throw mine;
      return fn(t);
    }, leaf(1));
    expect(() => y.sum().backward()).to.throw(mine);
  });

  it('keeps no activations, in a scope and outside', () => {
    const depth = 20;
    const big = tensor(
      Array.from({ length: 4096 }, () => 0.5),
      { requiresGrad: true },
    );
    const block = (t: Tensor) => {
      let y = t;
      for (let i = 0; i < depth; ++i) y = y.mul(y).add(1).rsqrt();
      return y;
    };
    const liveIn = (run: () => Tensor) =>
      scope(() => {
        collectGarbage();
        const before = memory.stats().tensors;
        const y = run();
        const kept = memory.stats().tensors - before;
        y.sum().backward();
        return kept;
      });
    expect(liveIn(() => checkpoint(block, big))).to.be.lessThan(6);
    expect(liveIn(() => block(big))).to.be.greaterThan(3 * depth - 1);
    collectGarbage();
  });

  it('runs in backwardAsync', async () => {
    const [a, b] = [leaf(0.1, 0.2), leaf(0.1, 0.2)];
    plain(a).backward();
    await checkpoint((t: Tensor) => checkpoint(fn, t), b)
      .sum()
      .backwardAsync();
    expect(b.grad!.equal(a.grad!)).to.equal(true);
  });
});
