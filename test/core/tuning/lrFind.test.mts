import { lrFind, manualSeed, prepareExperiment, type AiforgeError } from 'aiforge';
import { expect } from 'chai';

import { experiment } from '../lab.mjs';
import { stateOf, trained } from './experiments.mjs';

async function failureOf(work: Promise<unknown>): Promise<AiforgeError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: AiforgeError) => error,
  );
}

describe('lrFind', () => {
  it('tries rates that grow by a factor, smooths the losses and suggests where they fall most steeply', async () => {
    const prepared = await prepareExperiment(experiment());
    const found = await lrFind(prepared, { minLr: 1e-5, maxLr: 1, steps: 41, earlyStopThreshold: null });
    expect(found.rates).to.have.length(41);
    expect([found.rates[0], found.rates[40]]).to.deep.equal([1e-5, 1]);
    for (let i = 1; i < 41; ++i) expect(found.rates[i]! / found.rates[i - 1]!).to.be.closeTo(10 ** (5 / 40), 1e-9);
    let average = 0;
    found.losses.forEach((loss, i) => {
      average = 0.98 * average + 0.02 * loss;
      expect(found.smoothedLosses[i]).to.be.closeTo(average / (1 - 0.98 ** (i + 1)), 1e-12);
    });
    const slope = (i: number): number => (found.smoothedLosses[i + 1]! - found.smoothedLosses[i - 1]!) / 2;
    const at = found.rates.indexOf(found.suggestion!);
    expect(at).to.be.within(10, 39);
    for (let i = 11; i < 39; ++i)
      expect(slope(i), `step ${i}`).to.be.at.least(at > 10 && at < 39 ? slope(at) : -Infinity);
    expect(found.isDiverged).to.equal(false);
  });

  it('gives the same numbers each time, whatever was drawn before, and linear rates', async () => {
    const prepared = await prepareExperiment(experiment());
    const first = await lrFind(prepared, { steps: 5, mode: 'linear', minLr: 0.1, maxLr: 0.5 });
    expect(first.rates.map((rate) => Number(rate.toFixed(9)))).to.deep.equal([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(first.suggestion).to.equal(null);
    expect(await lrFind(prepared, { steps: 5, mode: 'linear', minLr: 0.1, maxLr: 0.5 })).to.deep.equal(first);
    manualSeed(1);
    const again = await prepareExperiment(experiment());
    expect(await lrFind(again, { steps: 5, mode: 'linear', minLr: 0.1, maxLr: 0.5 })).to.deep.equal(first);
  });

  it('ends early where the loss grows beyond the threshold, if there is one', async () => {
    const prepared = await prepareExperiment(experiment({ optimizerName: 'SGD' }));
    const far = await lrFind(prepared, { minLr: 1e-3, maxLr: 1e9, steps: 60 });
    expect(far.isDiverged).to.equal(true);
    expect(far.losses.length).to.be.lessThan(60);
    const last = far.smoothedLosses.at(-1)!;
    expect(Number.isFinite(last) ? last > 4 * Math.min(...far.smoothedLosses) : true).to.equal(true);
    const free = await lrFind(prepared, { minLr: 1e-3, maxLr: 1e38, steps: 60, earlyStopThreshold: null });
    expect(free.losses.length).to.be.greaterThan(far.losses.length);
    expect(free.isDiverged).to.equal(!Number.isFinite(free.losses.at(-1)));
  });

  it('keeps the share of groups with rates of their own, and accumulates as a run does', async () => {
    const groups = { parameterGroups: [{ match: 'head.*', learningRate: 0.1 }], accumulationSteps: 2 };
    const prepared = await trained({ ...groups, learningRate: 0.01 });
    const rates: number[][] = [];
    const hook = prepared.optimizer.registerStepPreHook(
      () => void rates.push(prepared.optimizer.paramGroups.map(({ lr }) => Number(lr))),
    );
    await lrFind(prepared, { minLr: 1e-3, maxLr: 1e-1, steps: 3 });
    hook.remove();
    expect(rates.map((each) => each.map((rate) => Number(rate.toPrecision(6))))).to.deep.equal([
      [0.001, 0.01],
      [0.01, 0.1],
      [0.1, 1],
    ]);
  });

  for (const [what, model, code] of [
    ['when it ends', {}, null],
    ['when the plugin fails in the middle', { failAt: 4 }, undefined],
  ] as const) {
    it(`leaves everything as it was, ${what}`, async () => {
      const prepared = await trained({}, model);
      const before = stateOf(prepared);
      const objects = [...prepared.model.parameters(), ...prepared.model.buffers()];
      const finding = lrFind(prepared, { steps: 12, maxLr: 10 });
      if (code === null) expect((await finding).losses).to.have.length.greaterThan(3);
      else expect((await failureOf(finding)).message).to.equal('the plugin failed');
      expect(stateOf(prepared)).to.deep.equal(before);
      expect(
        [...prepared.model.parameters(), ...prepared.model.buffers()].every((each, i) => each === objects[i]),
      ).to.equal(true);
    });
  }

  it('refuses what it does not know', async () => {
    const prepared = await prepareExperiment(experiment());
    for (const [options, message] of [
      [{ minlr: 1 }, /has no option 'minlr'. Did you mean 'minLr'\?/],
      [{ steps: 1 }, /steps must be a whole number, 2 or more/],
      [{ minLr: 1, maxLr: 0.1 }, /minLr is 1, and must be below maxLr, 0.1/],
    ] as [object, RegExp][]) {
      const error = await failureOf(lrFind(prepared, options));
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.match(message);
    }
    expect((await failureOf(lrFind({} as never))).message).to.match(/experiment must be what prepareExperiment gave/);
  });
});
