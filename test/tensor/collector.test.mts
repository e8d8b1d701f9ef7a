import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const library = pathToFileURL(path.resolve('dist/lib/index.js')).href;

/** What a module prints that runs in a process of its own. */
function run(body: string, flags: string[] = []): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-collector-'));
  const file = path.join(folder, 'main.mjs');
  writeFileSync(file, `import * as aiforge from '${library}';\nconst { memory, ones } = aiforge;\n${body}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  return stdout;
}

const loop = `const x = ones([2, 2]);
  for (let i = 0; i < 20_000; ++i) x.add(i);
  console.log(memory.stats().peak.tensors, typeof gc);`;

describe('tensors that nobody can reach any more', () => {
  it('are collected while they are few, and V8’s collector stays hidden', () => {
    const [peak, gc] = run(loop).split(' ');
    expect(Number(peak)).to.be.lessThan(4000);
    expect(gc).to.equal('undefined\n');
  });

  it('are collected as many bytes, too', () => {
    const large = `const x = ones([64, 1024]);
      for (let i = 0; i < 2000; ++i) x.add(i);
      console.log(memory.stats().peak.tensors);`;
    expect(Number(run(large))).to.be.lessThan(300);
  });

  it('are found by the collector that was given', () => {
    expect(run(loop, ['--expose-gc'])).to.match(/ function\n$/);
  });

  for (const flag of ['--freeze-flags-after-init', '--expose-gc-as=collectgarbage']) {
    it(`are left to V8 where its collector cannot be had: ${flag}`, () => {
      const leak = 'console.log(memory.leaks(() => { ones([3]); }).tensors);';
      expect(run(`${loop}\n${leak}`, [flag])).to.match(/ undefined\n0\n$/);
    });
  }

  it('are kept where a program holds many of them', () => {
    const held = `const all = Array.from({ length: 30_000 }, (_, i) => ones([1]).add(i));
      console.log(all.every((x, i) => x.item() === i + 1));`;
    expect(run(held)).to.equal('true\n');
  });

  it('are collected in workers that begin at once', () => {
    const workers = `import { Worker } from 'node:worker_threads';
      const barrier = new Int32Array(new SharedArrayBuffer(8));
      const body = \`const { workerData: barrier } = require('node:worker_threads');
        import('${library}').then(({ ones }) => {
          const x = ones([]);
          Atomics.add(barrier, 0, 1);
          while (Atomics.load(barrier, 0) < 4);
          for (let i = 0; i < 3000; ++i) x.add(i);
        });\`;
      for (let round = 0; round < 8; ++round) {
        barrier[0] = 0;
        await Promise.all(Array.from({ length: 4 }, () => new Promise((done, fail) =>
          new Worker(body, { eval: true, workerData: barrier }).on('error', fail).on('exit', done))));
      }
      console.log('done');`;
    expect(run(workers)).to.equal('done\n');
  }).timeout(120_000);
});
