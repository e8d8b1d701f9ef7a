import { expect } from 'chai';
import { Worker } from 'node:worker_threads';

import { getRngState, manualSeed, rand, randn, setRngState } from '#lib/tensor/index.js';

interface Draws {
  first: number[];
  sum: number;
  dropped: number;
}

// Drawn while other threads draw: one by one, and by operators that take no generator.
const draw = `
  const { nn, ones, manualSeed, randn, scope } = aiforge;
  const first = randn([3]).tolist();
  manualSeed(0);
  let sum = 0, dropped = 0;
  for (let i = 0; i < 2000; ++i) {
    scope(() => {
      sum += randn([5]).sum().item();
      dropped += nn.functional.dropout(ones([40])).sum().item();
    });
  }
  result = { first, sum, dropped };`;

function inWorker(gate: Int32Array): Promise<Draws> {
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    const aiforge = require('#lib/index.js');
    Atomics.add(workerData, 0, 1);
    while (Atomics.load(workerData, 0) < 3);
    let result;
    ${draw}
    parentPort.postMessage(result);`;
  return new Promise((resolve, reject) => {
    new Worker(source, { eval: true, workerData: gate }).once('message', resolve).once('error', reject);
  });
}

describe('random numbers in threads', () => {
  it('are each thread’s own: one seed gives one sequence, whoever draws beside it', async () => {
    manualSeed(7);
    const before = rand([4]).tolist();
    const state = getRngState();
    const next = rand([4]).tolist();
    setRngState(state);

    const gate = new Int32Array(new SharedArrayBuffer(4));
    const threads = await Promise.all([inWorker(gate), inWorker(gate), inWorker(gate)]);

    expect(new Set(threads.map(({ sum }) => sum))).to.have.length(1);
    expect(new Set(threads.map(({ dropped }) => dropped))).to.have.length(1);
    expect(
      new Set(threads.map(({ first }) => first.join())),
      'each thread starts from a seed of its own',
    ).to.have.length(3);
    expect(rand([4]).tolist(), 'this thread goes on where it was').to.deep.equal(next);
    manualSeed(7);
    expect(rand([4]).tolist()).to.deep.equal(before);
  });

  it('keep the second half of a pair of normal numbers', async () => {
    manualSeed(3);
    const pair = [randn([1]).item(), randn([1]).item()];
    manualSeed(3);
    const first = randn([1]).item();
    const gate = new Int32Array(new SharedArrayBuffer(4)).fill(2);
    await inWorker(gate);
    expect([first, randn([1]).item()]).to.deep.equal(pair);
  });
});
