import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { readRecords } from '../tracking/jsonlRecords.js';
import type { Measurement } from './sweepState.js';

/**
 * The best value of a metric over the epochs of a run, or the one of its test, from the run's `metrics.jsonl`. Throws
 * TRAINING_FAILED where there is none of that name, or none that is a number.
 */
export function measure(run: string, metric: string, mode: 'min' | 'max'): Measurement {
  const records = readRecords(run).filter(({ kind, interval }) => kind === 'metrics' && interval !== 'step');
  const isOfTest = metric.startsWith('test_');
  const epochs = Math.max(0, ...records.map(({ epoch = 0 }) => epoch));
  let best: Measurement | undefined;
  for (const { epoch = 0, interval, metrics = {} } of records) {
    const value = metrics[metric];
    if (typeof value !== 'number' || (interval === 'run') !== isOfTest) continue;
    // A resumed run tests again: the last test is the one of its weights.
    const isBetter = best === undefined || isOfTest || (mode === 'min' ? value < best.value : value > best.value);
    if (isBetter) best = { value, bestEpoch: epoch, epochs };
  }
  if (best !== undefined) return best;
  const names = [...new Set(records.flatMap(({ metrics = {} }) => Object.keys(metrics)))];
  const problem = names.includes(metric)
    ? `'${metric}' was a number in no epoch.`
    : `There is no metric '${metric}'.${didYouMean(metric, names)} The run has ${names.join(', ') || 'none'}.`;
  throw new AiforgeError('TRAINING_FAILED', problem);
}
