import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  add,
  AiforgeError,
  broadcastShapes,
  broadcastTensors,
  cat,
  fromTypedArray,
  noGrad,
  ones,
  ops,
  scope,
  sum,
  tensor,
  Tensor,
  zeros,
} from 'aiforge';
import { native, type Handle } from '#lib/native.js';
import { kinds, numbers } from './fixtures/hostileValues.mjs';
import * as internals from '#lib/tensor/tensor.js';

const { handleOf } = internals as unknown as { handleOf: (tensor: Tensor) => Handle };

type Anything = (...args: unknown[]) => unknown;

/** What a call throws; fails when it throws nothing. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function codeOf(call: () => unknown): string {
  const error = thrown(call);
  expect(error, String(error)).to.be.instanceOf(AiforgeError);
  return (error as AiforgeError).code;
}

/** Runs a script in a process of its own and returns what it prints. */
function run(script: string, flags: string[] = []): string {
  const prelude = "const aiforge = require('./dist/lib/index.js'); const { ones, tensor, scope } = aiforge;\n";
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', prelude + script], {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
  expect({ status, signal, stderr: stderr.slice(-2000) }).to.deep.equal({ status: 0, signal: null, stderr: '' });
  return stdout.trim();
}

describe('hostile callers', () => {
  it('cannot make a handle up', () => {
    const addTensor = native.registerOperators(['add.Tensor']);
    const handle = handleOf(ones([2]));
    for (const forged of [...numbers, ...kinds]) {
      for (const call of [
        () => native.call(addTensor, forged, handle),
        () => native.call(addTensor, handle, forged),
        () => native.shape(forged as Handle),
        () => native.item(forged as Handle),
        () => native.copyBytes(forged as Handle),
      ]) {
        expect(codeOf(call), inspect(forged)).to.be.oneOf(['INVALID_ARGUMENT', 'TENSOR_DISPOSED']);
      }
    }
    expect(codeOf(() => native.shape(handle + 0.5))).to.equal('INVALID_ARGUMENT');
    const list = native.registerOperators(['cat']);
    for (const forged of numbers) {
      expect(codeOf(() => native.call(list, Float64Array.of(handle, forged)))).to.equal('TENSOR_DISPOSED');
    }
    for (const forged of kinds.filter((value) => !(value instanceof Float64Array))) {
      expect(codeOf(() => native.call(list, forged))).to.equal('INVALID_ARGUMENT');
    }
  });

  it('get errors from every raw function, whatever they give it', () => {
    // In a process of its own, since some of the functions change what all of the process goes by.
    const sweep = fileURLToPath(new URL('fixtures/rawFunctions.mjs', import.meta.url));
    const { status, signal, stdout } = spawnSync(process.execPath, [sweep], { encoding: 'utf8' });
    expect({ status, signal }).to.deep.equal({ status: 0, signal: null });
    const { functions, calls, refused, foreign } = JSON.parse(stdout) as Record<string, number | string[]>;
    expect(foreign).to.deep.equal([]);
    expect(functions).to.be.greaterThan(100);
    expect(refused).to.be.greaterThan((calls as number) / 2);
  });

  it('cannot pass a look-alike for a Tensor', () => {
    const real = ones([2]);
    const lookalikes = [
      Object.create(Tensor.prototype),
      Object.create(real),
      new Proxy(real, {}),
      Object.setPrototypeOf({ shape: [2] }, Tensor.prototype),
      structuredClone({ handle: 1 }),
    ] as Tensor[];
    for (const fake of lookalikes) {
      expect(Tensor.isTensor(fake)).to.equal(false);
      expect(codeOf(() => add(real, fake))).to.equal('INVALID_ARGUMENT');
      expect(codeOf(() => cat([real, fake]))).to.equal('INVALID_ARGUMENT');
      expect(codeOf(() => ops.aten('add.Tensor')(fake, real))).to.equal('INVALID_ARGUMENT');
      expect(() => (real.add as Anything).call(fake, real)).to.throw();
      expect(() => fake.dim()).to.throw(TypeError);
    }
  });

  it('cannot construct a Tensor, nor a subclass of it', () => {
    const Constructor = Tensor as unknown as new (...args: unknown[]) => Tensor;
    for (const args of [[], [Symbol('tensor'), 1], [1, 67108864], [undefined, undefined]]) {
      expect(codeOf(() => new Constructor(...args))).to.equal('INVALID_ARGUMENT');
      expect(codeOf(() => Reflect.construct(Constructor, args, class Other {}))).to.equal('INVALID_ARGUMENT');
    }
    class Mine extends Constructor {}
    expect(codeOf(() => new Mine())).to.equal('INVALID_ARGUMENT');
  });

  it('whose getters throw get their own errors back', () => {
    const mine = new Error('mine');
    const throwing = () => {
      throw mine;
    };
    const options = Object.defineProperty({}, 'dim', { get: throwing, enumerable: true });
    const array = Object.defineProperty([1, 2], 0, { get: throwing });
    const complex = Object.defineProperty({ im: 1 }, 're', { get: throwing, enumerable: true });
    const proxy = new Proxy({}, { getPrototypeOf: throwing, get: throwing, ownKeys: throwing });
    expect(thrown(() => sum(ones([2]), options))).to.equal(mine);
    expect(thrown(() => zeros(array))).to.equal(mine);
    expect(thrown(() => ones([2]).add(complex as never))).to.equal(mine);
    expect(thrown(() => (add as Anything)(ones([2]), ones([2]), proxy))).to.equal(mine);
    // What follows the value that throws is not looked at any more.
    expect(thrown(() => ops.aten('gradient.scalararray')(ones([2]), { spacing: complex, dim: [0] }))).to.equal(mine);
    const id = native.registerOperators(['zeros']);
    expect(thrown(() => native.call(id, array))).to.equal(mine);
  });

  it('without end are refused at once', () => {
    const long = new Array<number>(2 ** 32 - 1);
    expect(codeOf(() => broadcastShapes(long))).to.equal('INVALID_ARGUMENT');
    expect(codeOf(() => ones([2]).set(long, 1))).to.equal('INVALID_ARGUMENT');
    expect(codeOf(() => zeros(long))).to.equal('INVALID_ARGUMENT');
    const bare = Object.setPrototypeOf([ones([2])], null) as Tensor[];
    expect(broadcastTensors(bare)[0]!.shape).to.deep.equal([2]);
  });

  it('that dispose tensors in the middle of a call do no harm', () => {
    const x = ones([1000]);
    const handle = handleOf(x);
    const sizes = Object.defineProperty([10, 100], 1, {
      get() {
        x.dispose();
        return 100;
      },
    });
    const view = native.registerOperators(['view']);
    const result = native.call(view, handle, sizes) as Handle;
    expect(native.shape(result)).to.deep.equal([10, 100]);
    expect(new Float32Array(native.copyBytes(result)).every((value) => value === 1)).to.equal(true);
    native.dispose(result);
  });

  it('cannot exhaust the stack with nested arrays', () => {
    let deep: unknown[] = [];
    for (let i = 0; i < 100_000; ++i) deep = [deep];
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    for (const array of [deep, cyclic]) {
      expect(codeOf(() => tensor(array as never))).to.equal('INVALID_ARGUMENT');
      expect(codeOf(() => (add as Anything)(array, 1))).to.equal('INVALID_ARGUMENT');
      expect(codeOf(() => zeros(array as never))).to.equal('INVALID_ARGUMENT');
    }
    const long = new Array<number>(2 ** 32 - 1);
    expect(codeOf(() => zeros(long))).to.equal('INVALID_ARGUMENT');
    expect(codeOf(() => native.call(native.registerOperators(['zeros']), long))).to.equal('INVALID_ARGUMENT');
    const x = ones([1]);
    expect(scope(() => [deep, x])[1]).to.equal(x);
  });

  it('cannot use memory that is gone', () => {
    const detached = new Float32Array(4);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(codeOf(() => fromTypedArray(detached))).to.equal('INVALID_ARGUMENT');
    expect(codeOf(() => fromTypedArray(detached, { shape: [4] }))).to.equal('INVALID_ARGUMENT');
    const x = ones([4]);
    const view = x.viewTypedArray();
    expect(codeOf(() => ops.aten('resize_')(x, [1_000_000]))).to.equal('OPERATOR_FAILED');
    x.dispose();
    expect([...(view as Float32Array)]).to.deep.equal([1, 1, 1, 1]);
  });

  it('can write a result into an argument, resized or not', () => {
    const x = ones([1, 1, 1, 1]);
    const pad = native.registerOperators(['replication_pad3d.out', 'add.out']);
    native.call(pad, handleOf(x), [1, 1, 1, 1, 1, 1], handleOf(x));
    expect(x.shape).to.deep.equal([1, 3, 3, 3]);
    const y = ones([2]);
    native.call(pad + 1, handleOf(y), handleOf(y), 1, handleOf(y));
    expect(y.tolist()).to.deep.equal([2, 2]);
    const overlapping = handleOf(ones([1]).expand([3]));
    const add = native.registerOperators(['add.out']);
    expect(codeOf(() => native.call(add, handleOf(y), handleOf(y), 1, overlapping))).to.equal('INVALID_ARGUMENT');
  });

  it('on another thread cannot use a handle of this one', async () => {
    const x = ones([3]);
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { native } = require('./dist/lib/native.js');
      const said = [workerData.handle, workerData.handle + 1].map((handle) => {
        try { return native.shape(handle); } catch (error) { return error.code; }
      });
      parentPort.postMessage(said);`;
    const worker = new Worker(script, { eval: true, workerData: { handle: handleOf(x) } });
    const exit = once(worker, 'exit');
    const [said] = (await once(worker, 'message')) as [unknown];
    await exit;
    expect(said).to.deep.equal(['TENSOR_DISPOSED', 'TENSOR_DISPOSED']);
  });

  it('cannot reach native code through polluted prototypes', () => {
    const printed = run(`
      const x = tensor([[1, 2], [3, 4]]);
      const hit = () => { throw new Error('polluted'); };
      for (const name of ['0', '1', 're', 'im', 'dim', 'out', 'dtype']) {
        Object.defineProperty(Object.prototype, name, { set: hit, get: () => undefined, configurable: true });
        Object.defineProperty(Array.prototype, name, { set: hit, get: () => undefined, configurable: true });
      }
      let [ok, refused] = [0, 0];
      for (const step of [
        () => tensor([[1, 2], [3, 4]]),
        () => x.sum({ dim: 0 }).tolist(),
        () => x.mul(2).shape,
        () => aiforge.cat([x, x]).shape,
        () => x.topk(1),
        () => aiforge.ops.aten('nonsense'),
      ]) {
        try {
          step();
          ok++;
        } catch (error) {
          if (error.message === 'polluted' || error.name === 'AiforgeError') refused++;
        }
      }
      process.stdout.write(\`\${ok + refused}\`);`);
    expect(printed).to.equal('6');
  });
});

describe('a process', () => {
  it('lives on after allocations that no machine can serve', () => {
    for (const size of [2 ** 40, 2 ** 45, 2n ** 62n]) {
      expect(codeOf(() => zeros([size, 4]))).to.be.oneOf(['OUT_OF_MEMORY', 'OPERATOR_FAILED']);
    }
    expect(codeOf(() => zeros([2 ** 45]))).to.equal('OUT_OF_MEMORY');
    expect(
      codeOf(() =>
        ones([2])
          .expand([2 ** 45, 2])
          .contiguous(),
      ),
    ).to.equal('OUT_OF_MEMORY');
    expect(ones([2]).sum().item()).to.equal(2);
  });

  it('throws its errors in the middle of garbage collections', () => {
    const errors = run(
      `const x = ones([2]); let errors = 0;
      while (errors < 20000) { x.add(1); try { x.item(); } catch { ++errors; } }
      console.log(errors);`,
      ['--max-semi-space-size=1'],
    );
    expect(errors).to.equal('20000');
  });

  it('runs and drops a graph of a million nodes', () => {
    const printed = run(`
      const x = ones([1]).requiresGrad_();
      let y = x;
      for (let i = 0; i < 1_000_000; ++i) {
        const next = y.mul(1);
        if (y !== x) y.dispose();
        y = next;
      }
      y.backward({ retainGraph: true });
      y.dispose();
      console.log(x.grad.item());`);
    expect(printed).to.equal('1');
  }).timeout(180_000);

  it('answers to a signal in the middle of its operators', () => {
    const printed = run(`
      process.on('SIGUSR2', () => { console.log('signal'); process.exit(0); });
      const { Worker } = require('node:worker_threads');
      new Worker("setTimeout(() => process.kill(process.pid, 'SIGUSR2'), 200)", { eval: true });
      const x = ones([300, 300]);
      const work = () => { scope(() => { for (let i = 0; i < 20; ++i) x.matmul(x); }); setImmediate(work); };
      work();`);
    expect(printed).to.equal('signal');
  });

  it('gives an error of its own for recursion in JavaScript', () => {
    const recurse = (): unknown => noGrad(() => scope(() => recurse()));
    expect(thrown(recurse)).to.be.instanceOf(RangeError);
    expect(ones([2]).sum().item()).to.equal(2);
  });
});
