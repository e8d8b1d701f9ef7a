import { expect } from 'chai';
import fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { keep, memory, ones, randn, scope, tensor, tensorsOf, type Tensor } from '#lib/tensor/index.js';

describe('scope', () => {
  it('releases what is made in it but the result', () => {
    let inner: Tensor | undefined;
    const outside = ones([2]);
    const result = scope(() => {
      inner = outside.add(1);
      return inner.mul(2);
    });
    expect(inner!.isDisposed).to.equal(true);
    expect(outside.isDisposed).to.equal(false);
    expect(result.tolist()).to.deep.equal([4, 4]);
  });

  it('gives a result to the scope around, which releases it', () => {
    let passed: Tensor | undefined;
    scope(() => {
      passed = scope(() => scope(() => ones([1])));
      expect(passed.isDisposed).to.equal(false);
    });
    expect(passed!.isDisposed).to.equal(true);
  });

  it('leaves a tensor of an outer scope to that one, also when inner scopes return it', () => {
    scope(() => {
      const mine = ones([1]);
      scope(() => {
        scope(() => mine);
      });
      expect(mine.isDisposed).to.equal(false);
    });
  });

  it('lets tensors out in arrays, objects, maps, sets and holders', () => {
    class Holder {
      weight = ones([1]);
      [tensorsOf]() {
        return [this.weight];
      }
    }
    class Closed {
      weight = ones([1]);
    }
    const cyclic: { self?: unknown; t: Tensor | null } = { t: null };
    const out = scope(() => {
      cyclic.t = ones([1]);
      cyclic.self = cyclic;
      return {
        list: [ones([1]), [ones([1])]],
        map: new Map<unknown, unknown>([
          ['a', ones([1])],
          [ones([1]), 1],
        ]),
        set: new Set([ones([1])]),
        bare: Object.assign<object, { t: Tensor }>(Object.create(null) as object, { t: ones([1]) }),
        holder: new Holder(),
        closed: new Closed(),
        cyclic,
        nothing: [null, undefined, 1, 'x', () => 1],
      };
    });
    const kept = [
      out.list[0],
      (out.list[1] as Tensor[])[0],
      out.map.get('a'),
      [...out.map.keys()][1],
      [...out.set][0],
      out.bare.t,
      out.holder.weight,
      out.cyclic.t,
    ] as Tensor[];
    for (const one of kept) expect(one.item()).to.equal(1);
    expect(out.closed.weight.isDisposed).to.equal(true);
  });

  it('releases everything when the body throws, and passes the error on', async () => {
    let made: Tensor | undefined;
    const failing = () => {
      made = ones([1]);
      throw new RangeError('mine');
    };
    expect(() => scope(failing)).to.throw(RangeError, 'mine');
    expect(made!.isDisposed).to.equal(true);
    const rejected = scope(async () => {
      made = ones([1]);
      await delay(1);
      expect(made.isDisposed).to.equal(false);
      failing();
    });
    const error = await rejected.catch((e: unknown) => e);
    expect(error).to.be.instanceOf(RangeError);
    expect(made!.isDisposed).to.equal(true);
  });

  it('keeps a tensor on request', () => {
    let kept: Tensor | undefined;
    let other: Tensor | undefined;
    scope(() =>
      scope(() => {
        kept = keep(ones([2]));
        other = ones([2]);
      }),
    );
    expect(kept!.tolist()).to.deep.equal([1, 1]);
    expect(other!.isDisposed).to.equal(true);
    expect(keep(kept!)).to.equal(kept);
  });

  it('follows await, and interleaved tasks never free each other’s tensors', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 6 }),
        async (tasks) => {
          const run = (steps: number[], id: number) =>
            scope(async () => {
              const mine: Tensor[] = [];
              for (const step of steps) {
                mine.push(tensor([id]));
                if (step === 0) await Promise.resolve();
                else if (step === 1) await new Promise((resolve) => setImmediate(resolve));
                else if (step === 2) mine.push(await scope(async () => (await Promise.resolve(), tensor([id]).mul(1))));
                else mine.push(scope(() => tensor([id]).add(0)));
                for (const one of mine) expect(one.tolist()).to.deep.equal([id]);
              }
              return { all: mine, result: mine.at(-1)!.mul(2) };
            }).then(({ all, result }) => ({ all, result }));
          const before = memory.stats().tensors;
          const results = await Promise.all(tasks.map((steps, i) => run(steps, i + 1)));
          results.forEach(({ all, result }, i) => {
            expect(result.tolist()).to.deep.equal([2 * (i + 1)]);
            for (const one of all) expect(one.isDisposed).to.equal(false);
          });
          for (const { all, result } of results) [...all, result].forEach((one) => one.dispose());
          expect(memory.stats().tensors).to.be.at.most(before);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keeps tensors of code outside while an asynchronous scope is open', async () => {
    let release = () => {};
    const waiting = new Promise<void>((resolve) => (release = resolve));
    let inner: Tensor | undefined;
    const running = scope(async () => {
      inner = ones([1]);
      await waiting;
      expect(inner.isDisposed).to.equal(false);
    });
    const mine = ones([1]);
    scope(() => ones([1]));
    release();
    await running;
    expect(inner!.isDisposed).to.equal(true);
    expect(mine.isDisposed).to.equal(false);
  });

  it('leaves a callback that runs after its end to the scope around', async () => {
    let late: Promise<Tensor> | undefined;
    let later: Promise<Tensor> | undefined;
    const hold = scope(async () => {
      scope(() => {
        late = delay(5).then(() => ones([3]));
        later = delay(30).then(() => ones([4]));
      });
      const made = await late!;
      expect(made.isDisposed).to.equal(false);
    });
    await hold;
    expect((await late!).isDisposed, 'made in the outer scope, which ended').to.equal(true);
    expect((await later!).tolist()).to.deep.equal([1, 1, 1, 1]);
  });

  it('stays flat over 100,000 operators', () => {
    const x = randn([4, 4]);
    const before = memory.stats();
    for (let i = 0; i < 1000; ++i) {
      scope(() => {
        let y = x;
        for (let j = 0; j < 100; ++j) y = y.add(1);
      });
      // The collector may have freed other tensors meanwhile.
      expect(memory.stats().tensors).to.be.at.most(before.tensors);
      expect(memory.stats().bytes).to.be.at.most(before.bytes);
    }
  });
});
