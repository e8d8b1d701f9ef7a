import type { BatchEnd } from '../callbacks/callback.js';
import type { RunningMetrics } from './measuring/metrics.js';

/** A batch that is done; what few ask for is read from a GPU, or computed from counts, when it is asked for. */
export function endOfBatch(
  event: Omit<BatchEnd, 'samples' | 'loss' | 'accuracy' | 'logged'>,
  samples: number,
  running: RunningMetrics,
): BatchEnd {
  return {
    ...event,
    samples,
    get loss() {
      return running.loss;
    },
    get accuracy() {
      return running.accuracy;
    },
    get logged() {
      return running.shown;
    },
  };
}
