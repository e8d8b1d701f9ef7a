import { expect } from 'chai';
import fc from 'fast-check';
import { AsyncResource } from 'node:async_hooks';
import { EventEmitter, on } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { grad, isGradEnabled, keep, memory, noGrad, ones, Scope, scope, tensor, type Tensor } from 'aiforge';
import { collectGarbage } from '../support/garbage.mjs';

const openScopes = () => memory.stats().scopes.length;

describe('scopes and control flow', () => {
  it('are all closed after a call stack overflow, at any depth', () => {
    const before = openScopes();
    const dive = (): number => scope(() => ones([1]).shape[0]! + dive());
    // Frames below shift the place where the stack is full.
    const under = (frames: number, body: () => number): number => (frames === 0 ? body() : under(frames - 1, body));
    for (let frames = 0; frames < 40; ++frames) expect(() => under(frames, dive)).to.throw(RangeError);
    // What could not be closed on the full stack is closed with the next scope.
    scope(() => ones([1]));
    expect(openScopes()).to.equal(before);
    expect(ones([1]).isDisposed).to.equal(false);
  });

  it('let a generator’s tensors to whoever runs it', () => {
    function* squares() {
      for (let i = 1; ; ++i) yield tensor([i * i]);
    }
    const numbers = squares();
    let inside: Tensor | undefined;
    scope(() => {
      inside = numbers.next().value as Tensor;
    });
    const outside = numbers.next().value as Tensor;
    expect(inside!.isDisposed).to.equal(true);
    expect(outside.item()).to.equal(4);
  });

  it('follow asynchronous generators, which belong to whoever asks for the next item', async () => {
    async function* batches() {
      for (let i = 0; i < 4; ++i) {
        await delay(1);
        yield tensor([i]);
      }
    }
    const seen: Tensor[] = [];
    const last = await scope(async () => {
      let latest: Tensor | undefined;
      for await (const batch of batches()) {
        seen.push(batch);
        await scope(async () => {
          await delay(0);
          latest = keep(batch.add(1));
        });
      }
      return latest!;
    });
    expect(last.item()).to.equal(4);
    expect(seen.map((one) => one.isDisposed)).to.deep.equal([true, true, true, true]);
  });

  it('leave a noGrad that outlives its scope outside of it, where the collector frees what it makes', async () => {
    const held: { late?: Promise<Tensor[]>; made?: Tensor[] } = {};
    collectGarbage();
    const before = memory.stats().tensors;
    scope(() => {
      held.late = noGrad(async () => {
        const early = ones([1]);
        await delay(1);
        expect(early.isDisposed).to.equal(true);
        expect(isGradEnabled()).to.equal(false);
        return Array.from({ length: 100 }, () => ones([1]));
      });
    });
    held.made = await held.late!;
    expect(held.made.every((one) => !one.isDisposed)).to.equal(true);
    expect(memory.stats().outside.tensors).to.be.at.least(100);
    delete held.late;
    delete held.made;
    await delay(1);
    collectGarbage();
    expect(memory.stats().tensors).to.be.lessThan(before + 50);
  });

  it('begin a lazy thenable’s work in the scope that returned it', async () => {
    let made: Tensor | undefined;
    const query = {
      then(done: (value: number) => void) {
        made = ones([3]);
        done(made.sum().item());
      },
    };
    expect(await scope(() => query as unknown as Promise<number>)).to.equal(3);
    expect(made!.isDisposed).to.equal(true);
  });

  it('leave intervals, emitters and bound callbacks that outlive them without harm', async () => {
    const emitter = new EventEmitter();
    const heard: Tensor[] = [];
    let bound: (() => Tensor) | undefined;
    let ticks = 0;
    const interval = scope(() => {
      emitter.on('event', () => heard.push(ones([1])));
      bound = AsyncResource.bind(() => ones([1]));
      return { timer: setInterval(() => void (heard.push(ones([1])), ++ticks), 1) };
    });
    while (ticks < 3) await delay(1);
    clearInterval(interval.timer);
    emitter.emit('event');
    heard.push(bound!());
    expect(heard.every((one) => !one.isDisposed)).to.equal(true);
    scope(() => emitter.emit('event'));
    expect(heard.at(-1)!.isDisposed, 'a listener runs in the scope that emits').to.equal(true);
  });

  it('follow events that are awaited', async () => {
    const emitter = new EventEmitter();
    const control = new AbortController();
    const outer = scope(async () => {
      const mine: Tensor[] = [];
      const events = on(emitter, 'tick', { signal: control.signal }) as AsyncIterable<[number]>;
      try {
        for await (const [n] of events) mine.push(tensor([n]));
      } catch {
        // the signal ends it
      }
      expect(mine.map((one) => one.item())).to.deep.equal([0, 1, 2]);
      return { first: mine[0]!, all: mine };
    });
    for (let i = 0; i < 3; ++i) {
      scope(() => emitter.emit('tick', i));
      await delay(1);
    }
    control.abort();
    const { first } = await outer;
    expect(first.item()).to.equal(0);
  });

  it('may be closed by a hook in the middle of a pass, whose results then belong to no scope', () => {
    const x = ones([2], { requiresGrad: true });
    const step = new Scope();
    const y = x.mul(3);
    const made: Tensor[] = [];
    y.registerHook(() => {
      scope('in a hook', () => {
        made.push(ones([1]));
        expect(memory.stats().scopes.at(-1)).to.deep.include({ name: 'in a hook', depth: 1, tensors: 1 });
      });
      made.push(ones([2]));
      step.close();
    });
    const [gradient] = grad(y.sum(), x);
    expect(made.map((one) => one.isDisposed)).to.deep.equal([true, true]);
    scope(() => ones([1]));
    expect(gradient!.tolist()).to.deep.equal([3, 3]);
    // It is the collector's now, and not lost.
    const { outside, tensors } = memory.stats();
    expect(outside.tensors).to.equal(tensors);
    expect(memory.leaks(() => void grad(x.mul(2).sum(), x)).tensors).to.equal(0);
  });

  it('hold for the hooks of a pass off the event loop, also one that outlives them', async () => {
    const x = ones([2], { requiresGrad: true });
    const made: Tensor[] = [];
    let pass: Promise<void> | undefined;
    x.registerHook(() => void made.push(ones([1])));
    await scope(async () => {
      await x.mul(2).sum().backwardAsync();
      expect(made[0]!.isDisposed).to.equal(false);
    });
    expect(made[0]!.isDisposed).to.equal(true);
    scope(() => {
      pass = x.mul(3).sum().backwardAsync();
    });
    await pass;
    expect(x.grad!.tolist()).to.deep.equal([5, 5]);
    expect(made[1]!.isDisposed).to.equal(false);
  });

  it('end in any order when they run beside each other, and some fail', async () => {
    const before = openScopes();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ wait: fc.nat(4), fails: fc.boolean(), inner: fc.boolean() }), { maxLength: 8 }),
        async (tasks) => {
          const results = await Promise.allSettled(
            tasks.map(({ wait, fails, inner }, id) =>
              scope(async () => {
                const mine = tensor([id]);
                for (let i = 0; i < wait; ++i) {
                  await (i % 2 ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve());
                  if (inner) scope(() => mine.add(1));
                  expect(mine.item()).to.equal(id);
                }
                if (fails) throw new RangeError('mine');
                return noGrad(async () => {
                  await Promise.resolve();
                  return [mine, mine.mul(2)];
                });
              }),
            ),
          );
          results.forEach((result, id) => {
            expect(result.status).to.equal(tasks[id]!.fails ? 'rejected' : 'fulfilled');
            if (result.status === 'rejected') return;
            expect(result.value.map((one) => one.item())).to.deep.equal([id, 2 * id]);
          });
        },
      ),
      { numRuns: 60 },
    );
    expect(openScopes()).to.equal(before);
  });
});

describe('Scope', () => {
  it('releases what the rest of the block makes, but what it keeps', () => {
    const made: Tensor[] = [];
    function work() {
      using step = new Scope('step');
      made.push(ones([1]), ones([2]));
      expect(memory.stats().scopes.at(-1)).to.deep.include({ name: 'step', tensors: 2 });
      expect(step.isOpen).to.equal(true);
      return step.keep({ list: [made[1]!.mul(3)] }).list[0]!;
    }
    const kept = work();
    expect(kept.tolist()).to.deep.equal([3, 3]);
    expect(made.map((one) => one.isDisposed)).to.deep.equal([true, true]);
  });

  it('gives what it keeps to the scope around', () => {
    const inner = scope(() => {
      using a = new Scope();
      using b = new Scope();
      const t = b.keep(ones([1]));
      b.close();
      expect(t.isDisposed).to.equal(false);
      expect(a.isOpen).to.equal(true);
      return { t };
    });
    expect(inner.t.isDisposed, 'the outer Scope released it before the function returned').to.equal(true);
  });

  it('is left when the block throws, and may be closed twice', () => {
    let made: Tensor | undefined;
    let step: Scope | undefined;
    expect(() => {
      using inside = new Scope();
      step = inside;
      made = ones([1]);
      throw new RangeError('mine');
    }).to.throw(RangeError, 'mine');
    expect(made!.isDisposed).to.equal(true);
    step!.close();
    expect(step!.keep(ones([1])).isDisposed).to.equal(false);
  });

  it('nests with scope() and noGrad() in any order of ending', () => {
    const before = openScopes();
    const outer = new Scope('outer');
    const first = ones([1]);
    const inner = new Scope('inner');
    const second = ones([1]);
    outer.close();
    expect(first.isDisposed).to.equal(true);
    expect(second.isDisposed).to.equal(false);
    const third = ones([1]);
    inner.close();
    expect([second.isDisposed, third.isDisposed]).to.deep.equal([true, true]);
    const around = new Scope('around');
    scope(() => {
      noGrad(() => around.close());
      const mine = ones([1]);
      expect(mine.isDisposed).to.equal(false);
    });
    const free = ones([1]);
    scope(() => ones([1]));
    expect(free.isDisposed).to.equal(false);
    scope(() => void new Scope('forgotten in a scope'));
    const after = ones([1]);
    scope(() => ones([1]));
    expect(after.isDisposed).to.equal(false);
    expect(memory.stats().scopes.map(({ name }) => name)).to.include('forgotten in a scope');
    expect(openScopes()).to.equal(before + 1);
  });

  it('refuses to span an await, and lets go of the code around at once', async () => {
    let forgotten: Scope | undefined;
    const task = async () => {
      forgotten = new Scope('batch');
      await delay(1);
      const mine = ones([1]);
      forgotten.close();
      return mine;
    };
    const error = await task().then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).to.have.property('code', 'SCOPE_MISUSED');
    expect((error as Error).message)
      .to.include("'batch'")
      .and.include('scope(async');
    const free = ones([1]);
    scope(() => ones([1]));
    expect(free.isDisposed).to.equal(false);
  });

  it('works between the awaits of an asynchronous scope', async () => {
    await scope(async () => {
      const mine: Tensor[] = [];
      for (let i = 0; i < 3; ++i) {
        await delay(0);
        using step = new Scope();
        mine.push(step.keep(ones([1]).add(i)));
      }
      expect(mine.map((one) => one.item())).to.deep.equal([1, 2, 3]);
    });
  });
});

describe('scope', () => {
  it('takes a name before or after its body', () => {
    const names = scope('outer', () => scope(() => memory.stats().scopes.map(({ name }) => name), { name: 'inner' }));
    expect(names.slice(-2)).to.deep.equal(['outer', 'inner']);
  });

  it('refuses what is no function', () => {
    expect(() => scope('name' as never)).to.throw(/expected a function, or a name and a function/);
    expect(() => scope((() => 1) as never, (() => 1) as never)).to.throw(/expected a function/);
  });
});
