import { expect } from 'chai';
import { spawnSync } from 'node:child_process';

/** Runs a script in a process of its own; `print` gives its result. */
function measure<T>(script: string, flags: string[] = []): T {
  const prelude =
    "const { memory, ones, scope, tensor } = require('./dist/lib/tensor/index.js');const print = (value) => console.log(JSON.stringify(value));";
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', prelude + script], {
    encoding: 'utf8',
  });
  expect(stderr).to.equal('');
  expect(status).to.equal(0);
  return JSON.parse(stdout) as T;
}

describe('memory', () => {
  it('stays bounded in a synchronous loop that disposes nothing', () => {
    const { megabytes, sum } = measure<{ megabytes: number; sum: number }>(`
      const x = ones([262144]);
      let y = x;
      for (let i = 0; i < 20000; ++i) y = x.add(i);
      print({ megabytes: process.resourceUsage().maxRSS / 1024, sum: y.select(0, 5).item() });`);
    expect(sum).to.equal(20000);
    expect(megabytes).to.be.lessThan(400);
  });

  // Node gives the memory of an array that was collected back when the event loop turns.
  it('does not grow with typed arrays that view tensors, while the event loop turns', () => {
    const { megabytes } = measure<{ megabytes: number }>(`
      const step = (i) => {
        for (let j = 0; j < 50; ++j) scope(() => { ones([262144]).viewTypedArray()[0] = j; });
        if (i < 60) return setImmediate(step, i + 1);
        print({ megabytes: process.resourceUsage().maxRSS / 1024 });
      };
      step(0);`);
    expect(megabytes).to.be.lessThan(800);
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
});
