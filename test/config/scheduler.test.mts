import { expect } from 'chai';
import type { z } from 'zod';

import { loadExperimentConfig } from 'aiforge';
import { keysAt } from '#lib/config/schemaShape.js';
import { SchedulerConfig } from '#lib/config/schedulerConfig.js';
import { TrainingConfig } from '#lib/config/trainingConfig.js';

const load = (...overrides: string[]) =>
  loadExperimentConfig('experiments/simple_nn.yaml', overrides).training.scheduler;

const refused = (overrides: string[], message: RegExp) =>
  expect(() => load(...overrides), overrides.join())
    .to.throw(message)
    .with.property('code', 'CONFIG_INVALID');

describe('training.scheduler', () => {
  it('is none by default, and has the defaults of the schedule that is named', () => {
    expect(TrainingConfig.parse({}).scheduler).to.equal(null);
    expect(load('training.scheduler={ name: StepLR, stepSize: 3 }')).to.deep.equal({
      name: 'StepLR',
      stepSize: 3,
      gamma: 0.1,
      interval: 'epoch',
    });
    expect(load('training.scheduler={ name: OneCycleLR, maxLr: 0.1 }')).to.include({ interval: 'step' });
  });

  it('is set key by key too', () => {
    const given = ['name=CosineAnnealingLR', 'tMax=7', 'interval=step'].map((text) => `training.scheduler.${text}`);
    expect(load(...given)).to.deep.equal({ name: 'CosineAnnealingLR', tMax: 7, etaMin: 0, interval: 'step' });
  });

  it('takes schedules in sequence', () => {
    const warmup = '{ name: LinearLR, totalIters: 2 }';
    const config = load(
      `training.scheduler={ name: SequentialLR, schedulers: [${warmup}, { name: ExponentialLR, gamma: 0.9 }], milestones: [2] }`,
    );
    expect((config as { schedulers: unknown }).schedulers).to.deep.equal([
      { name: 'LinearLR', startFactor: 1 / 3, endFactor: 1, totalIters: 2 },
      { name: 'ExponentialLR', gamma: 0.9 },
    ]);
  });

  it('is refused with the name, the value and what it may be', () => {
    refused(['training.scheduler={ name: StepLr, stepSize: 3 }'], /StepLr.*expected one of .*StepLR/s);
    refused(['training.scheduler={ name: LambdaLR }'], /LambdaLR.*expected one of/s);
    refused(['training.scheduler={ stepSize: 3 }'], /scheduler.*name.*expected one of/s);
    refused(['training.scheduler=StepLR'], /scheduler.*'StepLR'.*expected a mapping/s);
    refused(['training.scheduler={ name: StepLR }'], /scheduler\.stepSize.*missing.*a whole number/s);
    refused(['training.scheduler={ name: StepLR, stepSize: 3, gama: 1 }'], /scheduler\.gama.*did you mean 'gamma'/s);
    refused(
      ['training.scheduler={ name: StepLR, stepSize: 3, tMax: 1 }'],
      /tMax.*known are name, stepSize, gamma, in/s,
    );
    refused(['training.scheduler={ name: StepLR, stepSize: 0 }'], /stepSize.*got 0.*at least 1.*between decays/s);
    refused(['training.scheduler={ name: ReduceLROnPlateau, interval: step }'], /interval.*epoch/s);
    refused(
      ['training.scheduler={ name: ChainedScheduler, schedulers: [{ name: StepLR, stepsize: 3 }] }'],
      /schedulers\.0\.stepsize.*did you mean 'stepSize'/s,
    );
    refused(
      ['training.scheduler={ name: SequentialLR, schedulers: [{ name: StepLR, stepSize: 3 }], milestones: [1] }'],
      /milestones.*one less/s,
    );
    refused(['training.scheduler.gama=1'], /gama.*did you mean 'gamma'/s);
    refused(['training.scheduler.name.first=1'], /single value/);
  });

  it('describes every field', () => {
    for (const option of SchedulerConfig.options) {
      for (const [name, field] of Object.entries((option as z.ZodObject).shape)) {
        expect((field as z.ZodType).description, name).to.match(/./);
      }
    }
    expect(keysAt(SchedulerConfig, [])).to.include.members(['name', 'tMax', 'stepSize', 'monitor']);
  });
});
