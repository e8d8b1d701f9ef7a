import { setImmediate } from 'node:timers/promises';

import { noGrad } from '../../autograd/index.js';
import { DataLoader, type Dataset, type Sampler } from '../../data/index.js';
import { scope, type Tensor } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import { RunningMetrics, type ClassificationScores } from './metrics.js';
import type { Ranks } from '../ranks.js';

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

/** The mean loss and the scores of a model over a split, without gradients; the event loop runs between batches. */
export async function evaluate(
  model: BaseModel,
  samples: Dataset,
  indices: readonly number[],
  batchSize: number,
  ranks: Ranks,
): Promise<{ loss: number; scores: ClassificationScores | undefined }> {
  const share = new Share(indices, ranks);
  const batches = new DataLoader(samples, { batchSize, sampler: share })[Symbol.iterator]();
  const metrics = new RunningMetrics();
  model.eval();
  for (let index = 0, left = share.length; left > 0; ++index, left -= batchSize) {
    noGrad(() =>
      scope(() => {
        const batch = batches.next().value as Record<string, Tensor>;
        metrics.add(model.validationStep(batch, index), batch, Math.min(batchSize, left));
      }),
    );
    await setImmediate();
  }
  return metrics.finish(ranks);
}
