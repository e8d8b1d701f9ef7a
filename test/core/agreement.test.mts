import type { singleProcess} from 'aiforge';
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
});

/** What rank 0 of two sees, where the other one never asks for anything. */
const ranks = { rank: 0, worldSize: 2, gather: (values: Tensor) => Promise.resolve([values]) };
