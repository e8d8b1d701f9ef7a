import type { singleProcess } from 'aiforge';
import { type Tensor } from 'aiforge';
import { expect } from 'chai';

import { Agreement, RunRequests } from '#lib/core/training/agreement.js';

describe('an agreement of ranks to stop', () => {
  it('asks after the first batch of a phase, however quick those of the phase before were', async () => {
    let asked = 0;
    const sum: typeof singleProcess.sum = (values) => {
      ++asked;
      return Promise.resolve(values);
    };
    const agreement = new Agreement(new RunRequests(new AbortController().signal), { ...ranks, sum });
    for (let phase = 1; phase <= 3; ++phase) {
      await agreement.decide();
      const before = asked;
      expect(await agreement.shouldStop()).to.equal(false);
      expect(asked, `phase ${phase}`).to.equal(before + 1);
      for (let batch = 2; batch <= 60; ++batch) await agreement.shouldStop();
      expect(asked, 'quick batches are not asked for one by one').to.be.below(before + 10);
    }
  });

  // What asking takes, in ms; how long each batch takes; how many batches pass from one time to the next.
  const intervals: [ask: number, batch: number, expected: number][] = [
    [0.15, 1000, 1],
    [0.15, 16, 1],
    [0.15, 5, 3],
    [0.15, 0.01, 20],
    [1, 15, 7],
    [5, 15, 20],
    [0, 0, 1],
  ];
  for (const [ask, batch, expected] of intervals) {
    it(`asks every ${expected} batches of ${batch} ms where asking takes ${ask} ms`, async () => {
      const { agreement, train } = timed(ask);
      await agreement.decide();
      const asked = await train(batch, 100);
      // After the first batch of the phase, and regularly from then on.
      expect(asked.slice(0, 3)).to.deep.equal([1, 1 + expected, 1 + 2 * expected]);
    });
  }

  it('takes the least that asking took, which may wait for a slower rank', async () => {
    const { agreement, train, asking } = timed(0.15);
    asking.late = 500;
    await agreement.decide();
    expect(await train(16, 5)).to.deep.equal([1, 2, 3, 4, 5]);
    asking.late = 500;
    expect(await train(16, 5)).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('hears a signal within 20 batches where they get slow within a phase, and asks for each from then on', async () => {
    const { agreement, train, controller } = timed(0.15);
    await agreement.decide();
    await train(0.01, 200);
    controller.abort('SIGTERM');
    const [heard] = await train(2000, 100);
    expect(heard).to.be.at.most(20);
    expect(agreement.reason).to.equal('SIGTERM');
    expect((await train(2000, 5)).length).to.equal(5);
  });
});

/**
 * An agreement by a clock that batches and asking move on; `late` is how long a rank lets the next time wait. `train` gives the
 * batches after which it asked.
 */
function timed(ms: number) {
  const asking = { late: 0 };
  const controller = new AbortController();
  let clock = 0;
  let asked = 0;
  const sum: typeof singleProcess.sum = (values) => {
    ++asked;
    clock += ms + asking.late;
    asking.late = 0;
    return Promise.resolve(values);
  };
  const agreement = new Agreement(new RunRequests(controller.signal), { ...ranks, sum }, () => clock);
  const train = async (each: number, batches: number): Promise<number[]> => {
    const after: number[] = [];
    for (let batch = 1; batch <= batches; ++batch) {
      clock += each;
      const before = asked;
      await agreement.shouldStop();
      if (asked > before) after.push(batch);
    }
    return after;
  };
  return { agreement, train, asking, controller };
}

/** What rank 0 of two sees, where the other one never asks for anything. */
const ranks = { rank: 0, worldSize: 2, gather: (values: Tensor) => Promise.resolve([values]) };
