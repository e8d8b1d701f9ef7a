import { existsSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers';

import { isGradEnabled, metrics, registerPlugin, tensor, type Callback, type StageEnd, type StepOutput } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { bytesOf, Config, Dataset, experiment, Model, runIn, type Batch } from './lab.mjs';

/** What was called since it was set up, and where it asks to stop: by the event loop, as a signal does. */
const asked = { controller: new AbortController(), sanity: 0, statistics: 0, stopAt: Infinity, isSanity: false };

function count(pass: 'sanity' | 'statistics'): void {
  if (++asked[pass] === asked.stopAt) setImmediate(() => asked.controller.abort('SIGTERM'));
}

/** Keeps a buffer and a metric that its steps in training add to. */
class Counted extends Model {
  seen = new metrics.MeanMetric();

  constructor(config: { dropout: number; classes: number }) {
    super(config);
    this.registerBuffer('steps', tensor(0));
  }

  override trainingStep(batch: Batch): StepOutput {
    if (this.training && !isGradEnabled()) count('statistics');
    const output = super.trainingStep(batch);
    if (this.training) {
      (this as unknown as { steps: ReturnType<typeof tensor> }).steps.add_(1);
      this.seen.update(output.loss.detach());
      this.log('seen', this.seen);
    }
    return output;
  }

  override validationStep(batch: Batch): StepOutput {
    if (asked.isSanity) count('sanity');
    return super.validationStep(batch);
  }
}

registerPlugin({ name: 'counted', Model: Counted, Dataset, Config });

describe('a stop', () => {
  const folder = temporaryFolder('stops');
  const config = (training: object) => experiment(training, { modelPlugin: 'counted', datasetPlugin: 'counted' });

  function run(runs: string, training: object, stopAt = Infinity) {
    const stages: StageEnd[] = [];
    const events: string[] = [];
    Object.assign(asked, { controller: new AbortController(), sanity: 0, statistics: 0, stopAt });
    const callback: Callback = {
      onStageStart: ({ stage }) => void (asked.isSanity = stage === 'sanity'),
      onStageEnd: (stage) => void stages.push(stage),
      onRunEnd: ({ status }) => void events.push(status),
    };
    const { signal } = asked.controller;
    const ended = runIn(path.join(folder, runs), config(training), { signal, callbacks: [callback] });
    return ended.then((result) => ({ ...result, stages, events }));
  }

  const same = (one: string, other: string) => {
    for (const file of ['last.safetensors', 'best.safetensors']) {
      expect(bytesOf(one, file) === bytesOf(other, file), file).to.equal(true);
    }
  };

  it('in the batches validated for sanity ends there, with a checkpoint, and goes on to the same bytes', async () => {
    const training = { batchSize: 2, sanityValBatches: 5, epochs: 1 };
    const whole = await run('sanity-whole', training);
    expect(asked.sanity).to.equal(5);
    const cut = await run('sanity', training, 2);
    expect(asked.sanity).to.equal(2);
    expect(cut).to.include({ status: 'interrupted', interruptedBy: 'SIGTERM', epochs: 0 });
    expect(cut.events).to.deep.equal(['interrupted']);
    expect(cut.stages.map(({ stage, interrupted }) => [stage, interrupted])).to.deep.equal([
      ['sanity', true],
      ['train', true],
    ]);
    expect(existsSync(path.join(cut.runDirectory, 'last.safetensors'))).to.equal(true);
    await run('sanity', { ...training, resumeFrom: cut.runDirectory });
    // What was not seen before is looked at now.
    expect(asked.sanity).to.equal(5);
    same(cut.runDirectory, whole.runDirectory);
  });

  const swa = { averaging: { method: 'swa', startEpoch: 2 } };
  for (const [where, training, stopAt] of [
    ['at the end of an epoch', swa, 3],
    ['in its last batch', swa, 11],
    ['within an epoch', { ...swa, epochs: 4, valCheckInterval: 4, averaging: { method: 'swa', startEpoch: 1 } }, 14],
    ['after an epoch that is not validated', { ...swa, checkValEveryNEpoch: 3, earlyStoppingMonitor: 'train_loss' }, 5],
  ] as const) {
    it(`while statistics of averaged weights are computed, ${where}, goes on to the same bytes`, async () => {
      const whole = await run(`statistics-${where}-whole`, training);
      expect(asked.statistics).to.be.at.least(22);
      const cut = await run(`statistics-${where}`, training, stopAt);
      expect(asked.statistics).to.equal(stopAt);
      expect(cut).to.include({ status: 'interrupted', interruptedBy: 'SIGTERM' });
      expect(cut.stages.at(-1)).to.include({ stage: 'train', interrupted: false });
      await run(`statistics-${where}`, { ...training, resumeFrom: cut.runDirectory });
      same(cut.runDirectory, whole.runDirectory);
    });
  }
});
