import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { fromShared, Generator, ones, rand, scope, type SharedTensor } from '#lib/tensor/index.js';

const file = path.resolve('test/native/fixtures/worker.cjs');
const start = (task: string, seed = 0) => new Worker(file, { workerData: { task, seed } });

async function answer(worker: Worker): Promise<unknown> {
  const exit = once(worker, 'exit');
  const [message] = (await once(worker, 'message')) as [unknown];
  expect(await exit).to.deep.equal([0]);
  return message;
}

describe('worker threads', () => {
  it('use the addon at once, each with its own tensors and errors', async () => {
    const workers = [1, 2, 3].map((seed) => start('check', seed));
    const own = ones([50, 50]);
    const working = Promise.all(workers.map(answer));
    for (let i = 0; i < 50; ++i) {
      scope(() => expect(own.matmul(own).sum().item()).to.equal(125_000));
      await delay(0);
    }
    const answers = await working;
    answers.forEach((each, i) => {
      expect(each).to.deep.equal({
        gradient: 20 * 2 * 200 * 200 * 200,
        drawn: rand([3], { generator: new Generator().manualSeed(i + 1) }).tolist(),
        refused: { code: 'OPERATOR_FAILED', op: 'aten::add.Tensor' },
      });
    });
  });

  it('free each other’s tensors, of any size, and take memory of their own for the next', async () => {
    type Sent = { token: SharedTensor; size: number; value: number }[];
    for (let round = 0; round < 3; ++round) {
      const sent = await Promise.all([1, 2, 3].map((seed) => answer(start('send', seed)) as Promise<Sent>));
      for (const { token, size, value } of sent.flat()) {
        scope(() => {
          const x = fromShared(token);
          expect([x.numel(), x.amin().item(), x.amax().item()]).to.deep.equal([size, value, value]);
          ones([size]).add(1);
        });
      }
    }
  });

  it('can be terminated in the middle of their work, over and over', async () => {
    for (let i = 0; i < 20; ++i) {
      const worker = start('loop');
      await once(worker, 'message');
      await delay(i % 5);
      expect(await worker.terminate()).to.equal(1);
      expect(ones([3]).sum().item()).to.equal(3);
    }
  });

  it('can end with tensors, scopes, generators and views still there', async () => {
    for (let i = 0; i < 5; ++i) expect(await answer(start('leave'))).to.equal('left');
    expect(ones([3]).sum().item()).to.equal(3);
  });

  it('leave a process that ends in order', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const { ones } = require('./dist/lib/tensor/index.js');
      const kept = ones([10]);
      const file = ${JSON.stringify(file)};
      const run = (task) => new Worker(file, { workerData: { task, seed: 0 } });
      run('leave');
      run('check');
      const stopped = run('loop');
      stopped.once('message', async () => {
        await stopped.terminate();
        console.log(kept.sum().item());
      });`;
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect({ status, signal, stdout, stderr }).to.deep.equal({ status: 0, signal: null, stdout: '10\n', stderr: '' });
  });

  it('do not crash a process that exits while they work', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(file)}, { workerData: { task: 'loop', seed: 0 } });
      worker.once('message', () => process.exit(7));`;
    for (let i = 0; i < 5; ++i) {
      const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
      expect({ status, signal, stderr }).to.deep.equal({ status: 7, signal: null, stderr: '' });
    }
  });
});
