import { expect } from 'chai';

import { rungsOf } from '#lib/sweeps/rungs.js';
import { SweepConfig } from '#lib/sweeps/sweepConfig.js';
import { trialsOf } from '#lib/sweeps/trials.js';
import { refusalOf } from '../support/refusal.mjs';

const rate = { min: 0.001, max: 0.1, scale: 'log' };
/** As Python's hashlib gives them. */
const recorded = [{ 'training.learningRate': 0.0167547 }, { 'training.learningRate': 0.0170751 }];
const config = (given: object): SweepConfig => SweepConfig.parse({ experiment: 'x.yaml', ...given });
const random = (parameters: object, more: object = {}) =>
  trialsOf(config({ method: 'random', trials: 20, seed: 5, parameters, ...more }));

describe('the trials of a sweep', () => {
  it('of a grid are all combinations, the last parameter first', () => {
    const parameters = { 'model.width': { values: [1, 2] }, 'training.epochs': { min: 1, max: 2, integer: true } };
    expect(trialsOf(config({ method: 'grid', parameters }))).to.deep.equal([
      { 'model.width': 1, 'training.epochs': 1 },
      { 'model.width': 1, 'training.epochs': 2 },
      { 'model.width': 2, 'training.epochs': 1 },
      { 'model.width': 2, 'training.epochs': 2 },
    ]);
  });

  it('are the same for the same seed, and others for another', () => {
    expect(random({ a: rate })).to.deep.equal(random({ a: rate }));
    expect(random({ a: rate })).not.to.deep.equal(random({ a: rate }, { seed: 6 }));
    // Recorded: a sweep can be gone on with by a later version.
    expect(random({ 'training.learningRate': rate }, { trials: 2 })).to.deep.equal(recorded);
  });

  it('keep a parameter’s draws when another is added, before it or after it, and when there are more trials', () => {
    const alone = random({ a: rate }).map(({ a }) => a);
    expect(random({ a: rate, b: rate }).map(({ a }) => a)).to.deep.equal(alone);
    expect(random({ b: rate, a: rate }).map(({ a }) => a)).to.deep.equal(alone);
    expect(
      random({ a: rate }, { trials: 40 })
        .slice(0, 20)
        .map(({ a }) => a),
    ).to.deep.equal(alone);
    expect(random({ a: rate, b: rate }).map(({ b }) => b)).not.to.deep.equal(alone);
  });

  it('are drawn once each, as long as there are enough', () => {
    const all = random({ a: { values: [1, 2, 3, 4] }, b: { values: [1, 2, 3, 4, 5] } });
    expect(new Set(all.map((trial) => JSON.stringify(trial))).size).to.equal(20);
    const { code, message } = refusalOf(() => random({ a: { values: [1, 2] } }));
    expect(code).to.equal('CONFIG_INVALID');
    expect(message).to.include('have only some 2 different configurations');
  });

  it('of a grid need steps, and are not too many', () => {
    const grid = (parameters: object) => () => trialsOf(config({ method: 'grid', parameters }));
    expect(refusalOf(grid({ a: rate })).message).to.include('a grid needs values');
    const many = { min: 1, max: 200, integer: true };
    expect(refusalOf(grid({ a: many, b: many })).message).to.include('The grid has 40,000 trials');
  });

  it('of halving are a third for three times the epochs each round, the last for all', () => {
    const rungs = (more: object) => {
      const halving = config({ method: 'halving', trials: 27, maxEpochs: 27, parameters: { a: rate }, ...more });
      return rungsOf(halving, 27).map(({ epochs, trials }) => [epochs, trials]);
    };
    // The table of Hyperband's bracket s = 3 with eta = 3.
    expect(rungs({})).to.deep.equal([
      [1, 27],
      [3, 9],
      [9, 3],
      [27, 1],
    ]);
    expect(rungs({ maxEpochs: 10, minEpochs: 2, eta: 2 })).to.deep.equal([
      [2, 27],
      [4, 13],
      [10, 6],
    ]);
    expect(rungs({ maxEpochs: 1 })).to.deep.equal([[1, 27]]);
    const all = config({ method: 'random', trials: 4, parameters: { a: rate } });
    expect(rungsOf(all, 4)).to.deep.equal([{ epochs: undefined, trials: 4 }]);
  });
});
