import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';

import { expect } from 'chai';
import { autograd, func, tensor } from 'aiforge';

const script = path.resolve('build/test/autograd/forwardMode.worker.mjs');
const { dualLevel, makeDual, unpackDual } = autograd.forwardAd;

describe('forward mode in several threads', () => {
  it('takes turns', async function () {
    this.timeout(60_000);
    const workers = [0, 1].map(() => new Worker(script));
    const results = Promise.all(workers.map(async (worker) => ((await once(worker, 'message')) as [number[]])[0]));
    const slope = func.jvp((x) => x.mul(x), [tensor(2.5)], [tensor(1.5)])[1];
    expect(slope.item()).to.equal(7.5);
    const expected = Array.from({ length: 50 }, (_, i) => (2 * i + 1) * 1.5);
    for (const slopes of await results) expect(slopes).to.deep.equal(expected);
  });

  it('goes on after a thread was ended inside a level', async function () {
    this.timeout(60_000);
    const worker = new Worker(script, { workerData: 'hang' });
    await once(worker, 'message');
    await worker.terminate();
    const slope = dualLevel(() => unpackDual(makeDual(tensor([1.5]), tensor([2.5])).mul(2)).tangent!);
    expect(slope.tolist()).to.deep.equal([5]);
  });
});
