import { setImmediate } from 'node:timers/promises';

import { noGrad } from '../../autograd/index.js';
import { DataLoader, type Dataset, type Sampler } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { scope, type Tensor } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import { called } from '../plugins/calls.js';
import { randomState, restoreRandomState } from '../randomState.js';
import type { ParallelStep, Ranks } from '../ranks.js';
import type { Agreement } from './agreement.js';
import { logging } from './logbook.js';
import { RunningMetrics, type PassMetrics } from './metrics.js';
import type { Feed, Placement } from './placement.js';
import type { Precision } from './precision.js';
import type { Recorder } from './recorder.js';
import { readStep, type Step } from './stepOutput.js';

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
  ranks: Ranks;
  parallel: ParallelStep;
  agreement: Agreement;
  placement: Placement;
  precision: Precision;
  /** Takes the texts, images and histograms that the steps log. Default: nobody. */
  recorder?: Recorder | undefined;
}

/**
 * The means and the scores of a model over a split, without gradients; the event loop runs between batches. Undefined when the
 * run was asked to stop.
 */
export async function evaluate(parts: EvaluationParts): Promise<PassMetrics | undefined> {
  const { model, samples, indices, batchSize, ranks, parallel, agreement, placement } = parts;
  const share = new Share(indices, ranks);
  const feed = placement.feed(new DataLoader(samples, { batchSize, sampler: share }).batches());
  model.eval();
  // What is measured is what rank 0 saves.
  parallel.shareBuffers();
  try {
    if (await agreement.decide()) return undefined;
    return await measure(parts, feed, share.length);
  } finally {
    feed.close();
  }
}

async function measure(parts: EvaluationParts, feed: Feed, own: number): Promise<PassMetrics | undefined> {
  const { model, indices, batchSize, ranks, agreement } = parts;
  const metrics = new RunningMetrics();
  const mostBatches = Math.ceil(Math.ceil(indices.length / ranks.worldSize) / batchSize);
  for (let index = 0, left = own; index < mostBatches; ++index, left -= batchSize) {
    if (left > 0) {
      noGrad(() =>
        scope(() => {
          const batch = feed.next() as Record<string, Tensor>;
          metrics.add(validate(parts, batch, index, Math.min(batchSize, left)));
        }),
      );
      if (left > batchSize) feed.prefetch();
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
  return readStep(given, 'validationStep', batch, samples);
}

/** The names of what one validation batch measures; undefined on a rank without a sample. Leaves no trace in the model. */
export function tryValidation(
  {
    model,
    samples,
    indices,
    batchSize,
    placement,
    precision,
  }: Omit<EvaluationParts, 'ranks' | 'parallel' | 'agreement'>,
  classNames: readonly string[] | undefined,
): string[] | undefined {
  if (indices.length === 0) return undefined;
  const metrics = new RunningMetrics();
  const first = indices.slice(0, batchSize);
  const drawn = randomState(placement.device);
  model.eval();
  noGrad(() =>
    scope(() => {
      const batch = placement.move(new DataLoader(samples, { batchSize, sampler: first }).batches().next().value);
      metrics.add(validate({ model, precision }, batch as never, 0, first.length));
    }),
  );
  metrics.resetMetrics();
  restoreRandomState(drawn, placement.device);
  checkClassNames(classNames, metrics.classes);
  return metrics.names;
}

function checkClassNames(names: readonly string[] | undefined, classes: number): void {
  if (names === undefined || classes === 0 || names.length === classes) return;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `The Dataset's classNames are ${names.length} (${names.join(', ')}), and the model predicts ${classes} classes: ` +
      'give each a name, or the model as many outputs.',
  );
}
