import { batchSizeFind, prepareExperiment, type AiforgeError } from 'aiforge';
import { expect } from 'chai';

import { experiment } from '../lab.mjs';
import { stateOf, trained } from './experiments.mjs';

const failureOf = (work: Promise<unknown>): Promise<AiforgeError> =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: AiforgeError) => error,
  );

describe('batchSizeFind', () => {
  it('doubles the size up to the samples that there are, or up to a largest one', async () => {
    const prepared = await prepareExperiment(experiment());
    const all = await batchSizeFind(prepared);
    expect(all.trials.map(({ batchSize }) => batchSize)).to.deep.equal([2, 4, 8, 16, 32, 64, 84]);
    expect([all.batchSize, all.endedBy, prepared.trainSamples]).to.deep.equal([84, 'max', 84]);
    const some = await batchSizeFind(prepared, { initial: 5, max: 12, stepsPerTrial: 1 });
    expect(some.trials.map(({ batchSize }) => batchSize)).to.deep.equal([5, 10, 12]);
    const few = await batchSizeFind(prepared, { maxTrials: 2 });
    expect([few.batchSize, few.endedBy]).to.deep.equal([4, 'maxTrials']);
  });

  it('ends where LibTorch has no memory left, and looks between with binary search', async () => {
    const prepared = await trained({}, { largest: 21 });
    const power = await batchSizeFind(prepared);
    expect([power.batchSize, power.endedBy]).to.deep.equal([16, 'outOfMemory']);
    expect(power.trials.at(-1)).to.deep.equal({ batchSize: 32, fits: false, peakBytes: null });
    const binary = await batchSizeFind(prepared, { mode: 'binary' });
    expect([binary.batchSize, binary.endedBy]).to.deep.equal([21, 'outOfMemory']);
    expect(binary.trials.map(({ batchSize }) => batchSize)).to.deep.equal([2, 4, 8, 16, 32, 24, 20, 22, 21]);
    const down = await batchSizeFind(prepared, { initial: 64 });
    expect(down.trials.map(({ batchSize, fits }) => [batchSize, fits])).to.deep.equal([
      [64, false],
      [32, false],
      [16, true],
    ]);
  });

  it('ends where tensors take more than a limit', async () => {
    const prepared = await prepareExperiment(experiment());
    const all = await batchSizeFind(prepared, { stepsPerTrial: 2 });
    const peaks = all.trials.map(({ peakBytes }) => peakBytes!);
    expect(peaks.at(-1)).to.be.greaterThan(2 * peaks[0]!);
    // What garbage collection gives back meanwhile may be some bytes more or less.
    const memoryLimit = Math.floor((peaks[0]! + peaks.at(-1)!) / 2);
    const { batchSize, endedBy, trials } = await batchSizeFind(prepared, { stepsPerTrial: 2, memoryLimit });
    for (const { fits, peakBytes } of trials) expect(fits).to.equal(peakBytes! <= memoryLimit);
    expect(trials.map(({ fits }) => fits)).to.deep.equal([...trials.slice(1).map(() => true), false]);
    expect([batchSize, endedBy]).to.deep.equal([trials.at(-2)!.batchSize, 'memoryLimit']);
  });

  for (const [what, model, error] of [
    ['when memory ran out', { largest: 10 }, null],
    ['when not even one sample fits', { largest: 0 }, /not even a batch of 1 fits: LibTorch has no memory left/],
    ['when the plugin fails in the middle', { failAt: 2 }, /the plugin failed/],
  ] as const) {
    it(`leaves everything as it was, ${what}`, async () => {
      const prepared = await trained({}, model);
      const before = stateOf(prepared);
      const finding = batchSizeFind(prepared);
      if (error === null) expect((await finding).batchSize).to.equal(8);
      else expect((await failureOf(finding)).message).to.match(error);
      expect(stateOf(prepared)).to.deep.equal(before);
    });
  }

  it('refuses what it does not know', async () => {
    const prepared = await prepareExperiment(experiment());
    const error = await failureOf(batchSizeFind(prepared, { mode: 'binsearch' } as never));
    expect([error.code, error.message]).to.deep.equal([
      'INVALID_ARGUMENT',
      "batchSizeFind: mode must be 'power' or 'binary', got 'binsearch'.",
    ]);
  });
});
