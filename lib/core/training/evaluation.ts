import { setImmediate } from 'node:timers/promises';

import { noGrad } from '../../autograd/index.js';
import { DataLoader, type Dataset, type Sampler } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { scope, type Tensor } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import type { Counters, EvaluationScores } from '../callbacks/callback.js';
import type { Callbacks } from '../callbacks/callbacks.js';
import { called } from '../plugins/calls.js';
import { randomState, restoreRandomState } from '../randomState.js';
import type { ParallelStep, Ranks } from '../ranks.js';
import type { Agreement } from './agreement.js';
import { endOfBatch } from './batchEnd.js';
import { logging } from './measuring/logbook.js';
import { RunningMetrics, type PassMetrics } from './measuring/metrics.js';
import { evaluationMode } from './weights/modes.js';
import type { Loading } from './loading.js';
import type { Feed, Placement } from './placement.js';
import type { Precision } from './optimization/precision.js';
import type { Recorder } from './measuring/recorder.js';
import { readStep, type Step } from './measuring/stepOutput.js';

/** This rank's share of some indices: every sample on exactly one rank, none twice. */
class Share implements Sampler {
  readonly length: number;

  constructor(
    private readonly indices: readonly number[],
    private readonly ranks: Ranks,
  ) {
    this.length = Math.ceil((indices.length - ranks.rank) / ranks.worldSize);
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let i = this.ranks.rank; i < this.indices.length; i += this.ranks.worldSize) yield this.indices[i]!;
  }
}

export interface EvaluationParts {
  model: BaseModel;
  samples: Dataset;
  indices: readonly number[];
  batchSize: number;
  loading: Loading;
  ranks: Ranks;
  parallel: ParallelStep;
  agreement: Agreement;
  placement: Placement;
  precision: Precision;
  callbacks: Callbacks;
  stage: 'validation' | 'test';
  /** Where the run stands. */
  counters: Counters;
  /** Takes the texts, images and histograms that the steps log. Default: nobody. */
  recorder?: Recorder | undefined;
}

/**
 * The means and the scores of a model over a split, without gradients; the event loop runs between batches. Undefined when the
 * run was asked to stop.
 */
export async function evaluate(parts: EvaluationParts): Promise<PassMetrics | undefined> {
  const { model, samples, indices, batchSize, ranks, parallel, agreement, placement, callbacks } = parts;
  const { stage, counters } = parts;
  const share = new Share(indices, ranks);
  const feed = placement.feed(new DataLoader(samples, { ...parts.loading, batchSize, sampler: share }).soon());
  const batches = Math.ceil(share.length / batchSize);
  const restoreModes = evaluationMode(model);
  // What is measured is what rank 0 saves.
  await parallel.shareBuffersAsync();
  await callbacks.tell('onStageStart', () => ({ ...counters, stage, batches }));
  let passed: PassMetrics | undefined;
  try {
    if (!(await agreement.decide())) passed = await measure(parts, feed, share.length, batches);
  } finally {
    feed.close();
    restoreModes();
  }
  const metrics = passed === undefined ? {} : named(stage === 'test' ? 'test' : 'val', passed);
  await callbacks.tell('onStageEnd', () => ({ ...counters, stage, batches, metrics, interrupted: passed === undefined })); // prettier-ignore
  return passed;
}

/** The means of a pass under the names that they are recorded by; the mean of F1 over training is not. */
export function named(split: 'train' | 'val' | 'test', { values }: PassMetrics): Record<string, number> {
  const entries = Object.entries(values).filter(([name]) => split !== 'train' || name !== 'f1');
  return Object.fromEntries(entries.map(([name, value]) => [`${split}_${name}`, value]));
}

/** The means and the scores of a pass as one object. */
export function scoresOf({ values, scores }: PassMetrics): EvaluationScores {
  const { loss, ...metrics } = values;
  return { loss: loss!, metrics, ...scores };
}

async function measure(
  parts: EvaluationParts,
  feed: Feed,
  own: number,
  batches: number,
): Promise<PassMetrics | undefined> {
  const { model, indices, batchSize, ranks, agreement, callbacks, stage, counters } = parts;
  const metrics = new RunningMetrics();
  const mostBatches = Math.ceil(Math.ceil(indices.length / ranks.worldSize) / batchSize);
  for (let index = 0, left = own; index < mostBatches; ++index, left -= batchSize) {
    const event = { ...counters, stage, batch: index + 1, batches };
    if (left > 0) {
      await callbacks.tell('onBatchStart', () => ({ ...event }));
      const coming = feed.ready();
      if (coming !== undefined && !(await agreement.hasCome(coming))) return undefined;
      noGrad(() =>
        scope(() => {
          const batch = feed.next() as Record<string, Tensor>;
          metrics.add(validate(parts, batch, index, Math.min(batchSize, left)));
        }),
      );
      if (left > batchSize) feed.prefetch();
      const done = Math.min((index + 1) * batchSize, own) * ranks.worldSize;
      await callbacks.tell('onBatchEnd', () => endOfBatch(event, done, metrics));
    }
    await setImmediate();
    if (await agreement.shouldStop()) return undefined;
  }
  return metrics.finish(model, ranks);
}

function validate(
  { model, precision, recorder }: Pick<EvaluationParts, 'model' | 'precision' | 'recorder'>,
  batch: Record<string, Tensor>,
  batchIdx: number,
  samples: number,
): Step {
  const step = () => called('validationStep', () => model.validationStep(batch, batchIdx));
  const given = precision.run(() => logging(model, step, recorder));
  return readStep(given, 'validationStep', batch, samples, model);
}

type TrialParts = Pick<
  EvaluationParts,
  'model' | 'samples' | 'indices' | 'batchSize' | 'placement' | 'precision' | 'agreement'
> & { batches: number };

/**
 * The names of what the first batches to validate on measure, on every rank the same ones; none where there is no sample. Undefined
 * when the run was asked to stop. Leaves no trace in the model.
 */
export async function tryValidation(
  parts: TrialParts,
  classNames: readonly string[] | undefined,
): Promise<string[] | undefined> {
  const { model, indices, agreement, placement } = parts;
  if (indices.length === 0) return [];
  const metrics = new RunningMetrics();
  const drawn = randomState(placement.device);
  const restoreModes = evaluationMode(model);
  let isWhole: boolean;
  try {
    isWhole = !(await agreement.decide()) && (await tryBatches(parts, metrics));
  } finally {
    restoreModes();
    metrics.resetMetrics();
    restoreRandomState(drawn, placement.device);
  }
  if (!isWhole) return undefined;
  checkClassNames(classNames, metrics.classes);
  return metrics.names;
}

/** False when the run was asked to stop. */
async function tryBatches(parts: TrialParts, metrics: RunningMetrics): Promise<boolean> {
  const { model, samples, indices, batchSize, batches, agreement, placement, precision } = parts;
  const sampler = indices.slice(0, batchSize * batches);
  const feed = placement.feed(new DataLoader(samples, { batchSize, sampler }).soon());
  try {
    for (let index = 0, left = sampler.length; left > 0; ++index, left -= batchSize) {
      const coming = feed.ready();
      if (coming !== undefined && !(await agreement.hasCome(coming))) return false;
      noGrad(() =>
        scope(() => {
          const batch = feed.next() as Record<string, Tensor>;
          metrics.add(validate({ model, precision }, batch, index, Math.min(batchSize, left)));
        }),
      );
      await setImmediate();
      if (await agreement.shouldStop()) return false;
    }
  } finally {
    feed.close();
  }
  return true;
}

function checkClassNames(names: readonly string[] | undefined, classes: number): void {
  if (names === undefined || classes === 0 || names.length === classes) return;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `The Dataset's classNames are ${names.length} (${names.join(', ')}), and the model predicts ${classes} classes: ` +
      'give each a name, or the model as many outputs.',
  );
}
