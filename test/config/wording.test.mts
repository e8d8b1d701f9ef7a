// What the errors of settings say.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { registerPlugin } from 'aiforge';
import { AveragingConfig } from '#lib/config/averagingConfig.js';
import { TrainingConfig } from '#lib/config/trainingConfig.js';
import { validate } from '#lib/config/validate.js';
import { Callbacks } from '#lib/core/callbacks/callbacks.js';
import { loadState } from '#lib/sweeps/sweepState.js';
import { Parameter } from '#lib/sweeps/parameter.js';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';
import { Config, Dataset, experiment, failureOf, Model, runIn } from '../core/lab.mjs';

describe('the error of a setting', () => {
  const folder = temporaryFolder('wording');
  const messageOf = (schema: z.ZodType, value: unknown): string =>
    refusalOf(() => validate(schema, value, { source: 'x' })).message;

  it('names the values of what tells a mapping’s kinds apart, and the nearest', () => {
    expect(messageOf(AveragingConfig, { decay: 0.9 })).to.equal(
      'x has 1 problem:\n  method: missing, expected one of ema, swa',
    );
    expect(messageOf(AveragingConfig, { method: 'SWA' })).to.match(
      /method: got 'SWA', expected one of ema, swa, did you mean 'swa'\?/,
    );
  });

  for (const [setting, said] of [
    ['ema', "did you mean 'averaging'?"],
    ['swa', "did you mean 'averaging'?"],
    ['numSanityValSteps', "did you mean 'sanityValBatches'?"],
    ['strategy', 'start it with aiforge-launch'],
    ['saveTopK', "did you mean 'checkpoint.topK'?"],
  ] as const) {
    it(`knows ${setting} of other trainers`, () => {
      expect(messageOf(TrainingConfig, { [setting]: 1 }))
        .to.include(`${setting}: unknown option, `)
        .and.to.include(said);
    });
  }

  it('knows those within a mapping', () => {
    expect(messageOf(TrainingConfig, { checkpoint: { saveTopK: 1 } })).to.match(/did you mean 'topK'/);
    expect(messageOf(TrainingConfig, { profile: { profileMemory: true } })).to.match(
      /memory is in the profile without it/,
    );
    for (const name of ['findUnusedParameters', 'find_unused_parameters']) {
      expect(messageOf(TrainingConfig, { ddp: { [name]: true } })).to.match(
        /ddp\.\w+: unknown option, which is training\.findUnusedParameters/,
      );
    }
    expect(messageOf(TrainingConfig, { profile: { withStack: true } })).to.match(/which profiles do not have/);
  });

  it('names a few of many settings, and all of a few', () => {
    const message = messageOf(TrainingConfig, { frobnicate: 1 });
    expect(message).to.match(/known are (\w+, ){11}\w+ and \d+ more; see docs\/configuration\.md/);
    expect(messageOf(z.strictObject({ a: z.number().optional() }), { frobnicate: 1 })).to.match(/known are a$/);
  });

  it('says a whole number where one is missing, and what is put around a list', () => {
    const schema = z.object({ count: z.int(), share: z.number() });
    expect(messageOf(schema, {})).to.match(
      /count: missing, expected a whole number\n {2}share: missing, expected a number$/,
    );
    expect(messageOf(Parameter, [1, 2])).to.match(/expected \{ values: \[…\] \}, with the list in it$/);
    expect(messageOf(Parameter, 3)).to.match(/expected a mapping of names to values$/);
  });

  it('lists no base class among the optimizers', async () => {
    registerPlugin({ name: 'wording', Model, Dataset, Config });
    const config = experiment({ optimizerName: 'Optimizer' }, { modelPlugin: 'wording', datasetPlugin: 'wording' });
    const { message } = await failureOf(runIn(folder, config));
    expect(message)
      .to.match(/there is no 'Optimizer'.*Expected one of .*Adam/)
      .and.not.match(/, Optimizer,/);
  });

  it('says of a state of a sweep what is wrong, setting by setting', () => {
    writeFileSync(path.join(folder, 'sweep.json'), '{"trials": 3}');
    const { code, message } = refusalOf(() => loadState(folder));
    expect(code).to.equal('FILE_INVALID');
    expect(message).to.match(
      /sweep\.json is no state of a sweep: .*trials: got 3, expected a list.*\. Use another folder\.$/,
    );
  });

  it('says that a callback with a state alone needs an event', () => {
    const { message } = refusalOf(() => new Callbacks([{ stateDict: () => ({}) }]));
    expect(message).to.match(
      /callbacks\[0\] has a state and listens to nothing: give it an event too, any of onRunStart/,
    );
  });
});
