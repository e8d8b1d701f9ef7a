import { expect } from 'chai';

import { fixture, nodeRank, runCommands } from './ranks.mjs';

describe('collectives of several tensors, as in Python', function () {
  this.timeout(120_000);

  it('give the same on two Python ranks, on two of ours, and on one of each', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON does not name a Python that has torch');
      return this.skip();
    }
    const ours = nodeRank('coalesced.mjs');
    const theirs = { command: python, args: [fixture('coalesced.py')] };
    const expected = await runCommands([theirs, theirs]);
    for (const { status, results, output } of expected) {
      expect(status, output).to.equal(0);
      expect(Object.keys(results[0]!)).to.have.length(14);
    }
    for (const group of [
      [ours, ours],
      [ours, theirs],
      [theirs, ours],
    ]) {
      const ranks = await runCommands(group);
      for (const [rank, { status, results, output }] of ranks.entries()) {
        expect(status, output).to.equal(0);
        expect(results[0], output).to.deep.equal(expected[rank]!.results[0]);
      }
    }
  });
});
