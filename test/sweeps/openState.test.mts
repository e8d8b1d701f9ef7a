import path from 'node:path';

import { expect } from 'chai';

import { availableCores } from '#lib/cores.js';
import { openState } from '#lib/sweeps/openState.js';
import { planSweep, type SweepPlan } from '#lib/sweeps/plan.js';
import { readSweep } from '#lib/sweeps/sweepConfig.js';
import { saveState } from '#lib/sweeps/sweepState.js';
import { temporaryFolder, writeFiles } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';

const experiment = path.resolve('experiments/simple_nn.yaml');

describe('the state of a sweep', () => {
  const folder = temporaryFolder('sweep-state');

  const planOf = (more: object, base = experiment): SweepPlan => {
    const parameters = { 'training.learningRate': { min: 0.001, max: 0.1, scale: 'log' } };
    const sweep = { experiment: base, method: 'random', trials: 3, parameters, ...more };
    writeFiles(folder, { 'sweep.json.yaml': JSON.stringify(sweep) });
    return planSweep(readSweep(path.join(folder, 'sweep.json.yaml')));
  };

  before(() => {
    const state = openState(planOf({}), folder);
    Object.assign(state.trials[0]!, { status: 'finished', measured: [{ value: 1, bestEpoch: 1, epochs: 1 }] });
    saveState(folder, state);
  });

  it('is taken up, with what was measured', () => {
    const { trials } = openState(planOf({}), folder);
    expect(trials.map(({ number, status }) => [number, status])).to.deep.equal([
      [1, 'finished'],
      [2, 'waiting'],
      [3, 'waiting'],
    ]);
  });

  it('gets more trials after those that there are, and loses none', () => {
    const { trials } = openState(planOf({ trials: 5 }), folder);
    expect(trials.map(({ number }) => number)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(trials[0]!.status).to.equal('finished');
    expect(trials.map(({ settings }) => settings)).to.deep.equal(planOf({ trials: 5 }).trials);
    expect(refusalOf(() => openState(planOf({ trials: 2 }), folder)).message).to.include('trials: 3 became 2');
  });

  it('does not depend on how many trials there are at a time', () => {
    expect(openState(planOf({ parallel: 1, threadsPerTrial: 1 }), folder).trials).to.have.length(3);
  });

  it('is refused for another seed, another metric and another experiment, each by its name', () => {
    for (const [more, expected] of [
      [{ seed: 1 }, '  sweep.seed: 0 became 1\n'],
      [{ metric: 'train_loss', mode: 'min' }, '  sweep.metric: "val_loss" became "train_loss"\n'],
    ] as const) {
      const { code, message } = refusalOf(() => openState(planOf(more), folder));
      expect(code).to.equal('CONFIG_INVALID');
      expect(message).to.include('has a sweep that was begun otherwise').and.to.include(expected);
    }
    const other = path.resolve('experiments/transformer_text.yaml');
    const { message } = refusalOf(() => openState(planOf({}, other), folder));
    expect(message).to.include('  experiment.modelPlugin: "simple_nn" became "transformer_text_plugin"\n');
  });

  it('has a plan that fits the cores: as many trials at a time as leave each its threads', () => {
    const cores = availableCores();
    expect(planOf({})).to.include({ parallel: cores, threads: 1 });
    expect(planOf({ threadsPerTrial: cores })).to.include({ parallel: 1, threads: cores });
    expect(refusalOf(() => planOf({ threadsPerTrial: cores + 1 })).message).to.include(`and there are ${cores}`);
  });
});
