import {
  autograd,
  enableGrad,
  getNumThreads,
  isGradEnabled,
  noGrad,
  ones,
  rand,
  scope,
  tensor,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requiresGrad: true });
const list = (x: Tensor | null) => x?.tolist();

class Triple extends autograd.Function {
  static forward(ctx: autograd.FunctionContext, x: Tensor): Tensor {
    ctx.saveForBackward(x);
    return x.mul(3);
  }
  static backward(ctx: autograd.FunctionContext, gradient: Tensor): Tensor {
    expect(ctx.savedTensors).to.have.length(1);
    return gradient.mul(3);
  }
}

/** A graph whose backward pass takes some time. */
function deep(x: Tensor, depth: number, size = 200): Tensor {
  let y = x.expand([size, size]);
  for (let i = 0; i < depth; ++i) y = y.matmul(y).tanh();
  return y.sum();
}

describe('backwardAsync', () => {
  it('gives the gradients that backward gives', async () => {
    const weights = rand([20, 20], { dtype: 'float64' });
    const run = async (how: (loss: Tensor) => void | Promise<void>) => {
      const x = weights.clone().requiresGrad_();
      await how(x.matmul(x).relu().sum());
      return x.grad!;
    };
    const sync = await run((loss) => loss.backward());
    const async = await run((loss) => loss.backwardAsync());
    expect(async.equal(sync)).to.equal(true);
  });

  it('takes the options of backward', async () => {
    const [x, y] = [leaf(2), leaf(3)];
    const z = x.mul(y).mul(x);
    await z.backwardAsync({ gradient: tensor([10], { dtype: 'float64' }), inputs: [x], retainGraph: true });
    expect([list(x.grad), y.grad]).to.deep.equal([[120], null]);
    x.grad = null;
    await z.backwardAsync({ createGraph: true });
    expect(x.grad!.requiresGrad).to.equal(true);
  });

  it('may have its gradients read, replaced and cleared while it runs', async () => {
    const x = rand([64, 64], { dtype: 'float64', requiresGrad: true });
    // Null where the loop below has cleared it meanwhile.
    x.registerPostAccumulateGradHook((parameter) => void parameter.grad?.sum().item());
    for (let round = 0; round < 30; ++round) {
      const passes = Array.from({ length: 4 }, () => x.matmul(x).sum().backwardAsync());
      let ended = false;
      void Promise.allSettled(passes).then(() => (ended = true));
      for (let i = 0; !ended; ++i) {
        scope(() => void x.grad?.numel());
        if (i % 7 === 0) x.grad = null;
        if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(passes);
    }
    expect(x.grad === null || x.grad.isfinite().all().item()).to.equal(true);
  });

  it('refuses to read a retained gradient while it runs, and gives it afterwards', async () => {
    const x = leaf(1, 2);
    const y = x.mul(3);
    y.retainGrad();
    const pass = y.sum().backwardAsync();
    expect(() => y.grad).to.throw(/await its promise first/);
    await pass;
    expect(list(y.grad)).to.deep.equal([1, 1]);
  });

  it('lets the event loop turn while it runs', async () => {
    const x = leaf(0.01);
    let turns = 0;
    const turnsAt: number[] = [];
    const note = () => void turnsAt.push(turns);
    // Between the first hook and the last there is nothing but the engine's own work.
    const y = x.mul(1);
    y.registerHook(note);
    const loss = deep(y, 8).mul(1);
    loss.registerHook(note);
    let ended = false;
    const pass = loss.backwardAsync().then(() => {
      ended = true;
    });
    while (!ended) {
      await new Promise((resolve) => setImmediate(resolve));
      ++turns;
    }
    await pass;
    const [first, last] = turnsAt as [number, number];
    expect(turnsAt).to.have.length(2);
    expect(last).to.be.greaterThan(first);
  });

  it('runs hooks and Functions on this thread', async () => {
    const x = leaf(1, 2);
    const seen: unknown[] = [];
    const y = Triple.apply(x.mul(2));
    y.registerHook((g) => {
      seen.push(list(g));
      return g.mul(10);
    });
    x.registerPostAccumulateGradHook((parameter) => {
      expect(parameter).to.equal(x);
      seen.push(list(parameter.grad));
    });
    await y.sum().backwardAsync();
    expect(seen).to.deep.equal([
      [1, 1],
      [60, 60],
    ]);
  });

  it('rejects with what a hook threw', async () => {
    const x = leaf(1);
    const thrown = new RangeError('mine');
    const hook = x.registerHook(() => {
      throw thrown;
    });
    const caught: unknown = await x
      .sum()
      .backwardAsync()
      .catch((error: unknown) => error);
    expect(caught).to.equal(thrown);
    hook.remove();
    await x.sum().backwardAsync();
    expect(list(x.grad)).to.deep.equal([1]);
  });

  it('rejects as backward throws', async () => {
    const caught: unknown = await ones([1])
      .backwardAsync()
      .catch((error: unknown) => error);
    expect(caught).to.have.property('code', 'OPERATOR_FAILED');
    expect(caught)
      .to.have.property('message')
      .that.matches(/does not require grad/);
  });

  it('has hooks that run backward and backwardAsync themselves', async () => {
    const [x, a, b] = [leaf(1), leaf(2), leaf(3)];
    let inner: Promise<void> | undefined;
    x.registerHook(() =>
      enableGrad(() => {
        Triple.apply(a).sum().backward();
        inner = b.mul(b).sum().backwardAsync();
      }),
    );
    await x.sum().backwardAsync();
    await inner;
    expect([x, a, b].map((t) => list(t.grad))).to.deep.equal([[1], [3], [6]]);
  });

  it('can be started by a hook of a synchronous pass over the same parameters', async () => {
    const x = leaf(2);
    let inner: Promise<void> | undefined;
    const y = x.mul(1);
    y.registerHook(() => {
      inner ??= enableGrad(() => Triple.apply(x).sum().backwardAsync());
    });
    x.registerPostAccumulateGradHook(() => {});
    y.sum().backward();
    expect(list(x.grad)).to.deep.equal([1]);
    await inner;
    expect(list(x.grad)).to.deep.equal([4]);
  });

  it('starts after a synchronous pass that another thread runs, too', async () => {
    // While one is under way, a synchronous pass gets a thread of its own; on a GPU it does wherever there are hooks.
    const other = leaf(1).exp().sum().backwardAsync();
    const x = leaf(2);
    let inner: Promise<void> | undefined;
    const y = x.mul(1);
    y.registerHook(() => {
      inner ??= enableGrad(() => Triple.apply(x).sum().backwardAsync());
    });
    y.sum().backward();
    expect(list(x.grad)).to.deep.equal([1]);
    await Promise.all([inner, other]);
    expect(list(x.grad)).to.deep.equal([4]);
  });

  it('runs many passes at once, over separate and over shared graphs, beside synchronous ones', async () => {
    const shared = leaf(1);
    let hooks = 0;
    shared.registerPostAccumulateGradHook(() => void ++hooks);
    const trunk = Triple.apply(shared);
    trunk.registerHook((g) => {
      ++hooks;
      return g;
    });
    const passes = Array.from({ length: 8 }, (_, i) => trunk.mul(i).sum().backwardAsync({ retainGraph: true }));
    const own = Array.from({ length: 8 }, () => leaf(1));
    passes.push(...own.map((x, i) => Triple.apply(x.mul(i)).sum().backwardAsync()));
    trunk.mul(100).sum().backward({ retainGraph: true });
    await Promise.all(passes);
    expect(list(shared.grad)).to.deep.equal([3 * (28 + 100)]);
    expect(own.map((x) => x.grad!.item())).to.deep.equal([0, 3, 6, 9, 12, 15, 18, 21]);
    expect(hooks).to.equal(18);
  });

  it('keeps to the context of its call', async () => {
    const x = leaf(2);
    const seen: unknown[] = [];
    const made: Tensor[] = [];
    x.registerHook((g) => {
      seen.push([isGradEnabled(), g.mul(2).requiresGrad]);
      made.push(g.mul(2));
    });
    await scope(async () => {
      await x.mul(x).sum().backwardAsync();
      expect(made[0]!.isDisposed).to.equal(false);
    });
    expect(made[0]!.isDisposed).to.equal(true);
    // The scope ends before the pass does: what hooks make belongs to none.
    let late: Promise<void> | undefined;
    scope(() => {
      late = x.mul(x).sum().backwardAsync();
    });
    await late;
    expect(made[1]!.isDisposed).to.equal(false);
    x.grad = null;
    await noGrad(() => enableGrad(() => x.mul(x).sum()).backwardAsync({ createGraph: true }));
    expect(seen).to.deep.equal([
      [false, false],
      [false, false],
      [true, true],
    ]);
    expect(list(x.grad)).to.deep.equal([4]);
  });

  it('leaves the modes of the code that it interrupts', async () => {
    const x = leaf(1);
    x.registerHook((g) => enableGrad(() => g.mul(2)));
    const other = leaf(1);
    await noGrad(async () => {
      const pass = enableGrad(() => x.mul(1).sum()).backwardAsync();
      for (let i = 0; i < 20; ++i) {
        expect(other.mul(2).requiresGrad).to.equal(false);
        await delay(0);
      }
      await pass;
    });
    expect(list(x.grad)).to.deep.equal([2]);
    expect(getNumThreads()).to.be.greaterThan(0);
  });
});

describe('the end of a thread during a backward pass', () => {
  const file = path.resolve('test/native/fixtures/backward.cjs');

  for (const task of ['hook', 'async', 'asyncHook', 'functions', 'recompute']) {
    it(`by terminate, in '${task}'`, async () => {
      for (let i = 0; i < 5; ++i) {
        const worker = new Worker(file, { workerData: { task } });
        await once(worker, 'message');
        await delay(i % 4);
        expect(await worker.terminate()).to.equal(1);
        const x = leaf(1);
        x.registerHook((g) => g.mul(2));
        x.sum().backward();
        expect(list(x.grad)).to.deep.equal([2]);
      }
    });

    it(`by process.exit, in '${task}'`, () => {
      const script = `
        const { Worker } = require('node:worker_threads');
        const { setTimeout } = require('node:timers');
        const worker = new Worker(${JSON.stringify(file)}, { workerData: { task: '${task}' } });
        worker.once('message', () => setTimeout(() => process.exit(7), 3));`;
      for (let i = 0; i < 2; ++i) {
        const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
        expect({ status, signal, stderr }).to.deep.equal({ status: 7, signal: null, stderr: '' });
      }
    });
  }

  it('by process.exit on the main thread, during backwardAsync and in a hook', () => {
    const prelude = "const { ones } = require('./dist/lib/index.js'); const x = ones([1], { requiresGrad: true });";
    const bodies = [
      'let y = x.expand([300, 300]); for (let i = 0; i < 20; ++i) y = y.matmul(y).tanh();' +
        'void y.sum().backwardAsync(); setTimeout(() => process.exit(7), 5);',
      'x.registerHook(() => process.exit(7)); x.sum().backward();',
      'x.registerHook(() => process.exit(7)); void x.sum().backwardAsync();',
    ];
    for (const body of bodies) {
      const { status, signal, stderr } = spawnSync(process.execPath, ['-e', prelude + body], { encoding: 'utf8' });
      expect({ status, signal, stderr }).to.deep.equal({ status: 7, signal: null, stderr: '' });
    }
  });

  it('keeps the process alive for a pass that is under way, and no longer', () => {
    const script = `
      const { ones } = require('./dist/lib/index.js');
      const x = ones([1], { requiresGrad: true });
      x.registerHook((g) => g.mul(5));
      void x.sum().backwardAsync().then(() => console.log(x.grad.item()));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: '5\n', stderr: '' });
  });
});
