import { expect } from 'chai';
import { spawnSync } from 'node:child_process';

/** Runs a script in a process of its own; what it prints as JSON. */
function measure<T>(script: string, flags: string[] = []): T {
  const run = `${script}\nconsole.log(JSON.stringify(result(), (_, v) => v));`;
  const prelude = "const { memoryStats, ones, scope, tensor } = require('./dist/lib/tensor/index.js');";
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', prelude + run], { encoding: 'utf8' });
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
      const result = () => ({ megabytes: process.resourceUsage().maxRSS / 1024, sum: y.select(0, 5).item() });`);
    expect(sum).to.equal(20000);
    expect(megabytes).to.be.lessThan(400);
  });

  it('does not grow with typed arrays that view tensors', () => {
    const { megabytes } = measure<{ megabytes: number }>(`
      for (let i = 0; i < 3000; ++i) scope(() => { ones([262144]).viewTypedArray()[0] = i; });
      const result = () => ({ megabytes: process.resourceUsage().maxRSS / 1024 });`);
    expect(megabytes).to.be.lessThan(800);
  });

  it('gives collected tensors back', () => {
    const { live } = measure<{ live: number }>(
      `
      for (let i = 0; i < 10000; ++i) tensor([i]);
      gc();
      const result = () => ({ live: memoryStats().tensors });`,
      ['--expose-gc'],
    );
    expect(live).to.be.lessThan(100);
  });
});
