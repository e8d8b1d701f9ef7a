import { expect } from 'chai';
import { spawnSync } from 'node:child_process';

// With these the library leaves all memory to the C heap.
const heapVariables = /^(MALLOC_\w+|GLIBC_TUNABLES)$/;
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !heapVariables.test(name)));

/** Runs a script in a process of its own; `print` gives its result. */
function measure<T>(script: string, flags: string[] = []): T {
  const prelude =
    "const { memory, ones, scope, tensor } = require('./dist/lib/tensor/index.js');const print = (value) => console.log(JSON.stringify(value));" +
    // Not process.resourceUsage(): a process begins with its parent's peak there.
    "const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;";
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', prelude + script], {
    encoding: 'utf8',
    env,
  });
  expect(stderr).to.equal('');
  expect(status).to.equal(0);
  return JSON.parse(stdout) as T;
}

describe('memory', () => {
  it('stays bounded in a synchronous loop that disposes nothing', () => {
    const { megabytes, sum } = measure<{ megabytes: number; sum: number }>(`
      const start = peak();
      const x = ones([262144]);
      let y = x;
      for (let i = 0; i < 20000; ++i) y = x.add(i);
      print({ megabytes: peak() - start, sum: y.select(0, 5).item() });`);
    expect(sum).to.equal(20000);
    expect(megabytes).to.be.lessThan(200);
  });

  // Node gives the memory of an array that was collected back when the event loop turns.
  it('does not grow with typed arrays that view tensors, while the event loop turns', () => {
    const { megabytes } = measure<{ megabytes: number }>(`
      const step = (i) => {
        for (let j = 0; j < 50; ++j) scope(() => { ones([262144]).viewTypedArray()[0] = j; });
        if (i < 60) return setImmediate(step, i + 1);
        print({ megabytes: peak() });
      };
      step(0);`);
    expect(megabytes).to.be.lessThan(800);
  });

  it('is used again by the tensors of the next step', () => {
    const { faults } = measure<{ faults: number }>(`
      const step = () => scope(() => { for (let i = 1; i < 9; ++i) ones([i, 1 << 18]); });
      step();
      const before = process.resourceUsage().minorPageFault;
      for (let i = 0; i < 20; ++i) step();
      print({ faults: process.resourceUsage().minorPageFault - before });`);
    // The C heap alone leaves 11,000 to 20,000, and mapping each tensor anew 180,000.
    expect(faults).to.be.lessThan(1000);
  });

  it('is given back but for some when large tensors go', () => {
    const { held, kept } = measure<{ held: number; kept: number }>(`
      const before = process.memoryUsage().rss;
      const tensors = Array.from({ length: 64 }, (_, i) => ones([4 + (i % 3), 1 << 20]));
      const held = process.memoryUsage().rss - before;
      for (const each of tensors) each.dispose();
      print({ held: held / 2 ** 20, kept: (process.memoryUsage().rss - before) / 2 ** 20 });`);
    expect(held).to.be.greaterThan(1200);
    expect(kept).to.be.lessThan(320);
  });

  it('is given back by threads that end', () => {
    const { grown } = measure<{ grown: number }>(`
      const { Worker } = require('worker_threads');
      const work = \`const { ones } = require('./dist/lib/tensor/index.js');
        const tensors = Array.from({ length: 200 }, () => ones([8192]));
        for (const each of tensors) each.dispose();\`;
      const run = () => new Promise((done) => new Worker(work, { eval: true }).on('exit', done));
      (async () => {
        for (let i = 0; i < 4; ++i) await run();
        const before = process.memoryUsage().rss;
        for (let i = 0; i < 30; ++i) await run();
        print({ grown: (process.memoryUsage().rss - before) / 2 ** 20 });
      })();`);
    // 30 threads would leave 190 MiB.
    expect(grown).to.be.lessThan(100);
  });

  it('gives collected tensors back', () => {
    const { live } = measure<{ live: number }>(
      `
      for (let i = 0; i < 10000; ++i) tensor([i]);
      gc();
      print({ live: memory.stats().tensors });`,
      ['--expose-gc'],
    );
    expect(live).to.be.lessThan(100);
  });

  // The address space is limited as a GPU's memory is: what an operator does then is the same for both.
  it('that only garbage holds is found before an operator fails, and none is lost', function () {
    const script = `
      const { empty, ones } = require('./dist/lib/tensor/index.js');
      const held = [];
      const part = 2 ** 28;
      let error;
      try { for (;;) held.push(empty([part], { dtype: 'uint8' })); } catch (e) { error = e; }
      for (let i = 0; i < 4; ++i) held.pop().dispose();
      for (let i = 0; i < 20; ++i) empty([part], { dtype: 'uint8' });
      const x = ones([2], { requiresGrad: true });
      for (let i = 0; i < 10; ++i) x.mul(2).expand([part / 16, 2]).exp().sum();
      console.log(JSON.stringify({ code: error.code, message: error.message }));`;
    const limited = ['-c', 'ulimit -v 8000000 && exec "$0" -e "$1"', process.execPath, script];
    const { status, stdout, stderr } = spawnSync('bash', limited, { encoding: 'utf8' });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const { code, message } = JSON.parse(stdout) as { code: string; message: string };
    expect(code).to.equal('OUT_OF_MEMORY');
    expect(message).to.include('268435456').and.include('scope()');
  });
});
