import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import type { JsonlRecord } from '../../tracking/jsonlRecords.js';
import type { Curve, Point } from '../plot/curve.js';
import type { RecordedRun } from './recordedRun.js';

/** Curves for one plot. */
export interface Figure {
  title: string;
  /** What they are drawn over. */
  across: 'steps' | 'epochs';
  curves: Curve[];
}

/** Those of a run that are looked at first: the loss of training and validation, and the metric that is watched. */
export function usualFigures(run: RecordedRun): Figure[] {
  const names = namesIn(run.records);
  const perEpoch = run.epochs > 1 ? ['train_loss', 'val_loss'].filter((name) => names.has(name)) : [];
  const loss = perEpoch.length > 0 ? 'loss' : names.has('train_loss_step') ? 'train_loss_step' : undefined;
  const watched = run.monitor.name.replace(/^(train|val)_/, '');
  const isWatched = watched !== 'loss' && run.epochs > 1 && names.has(run.monitor.name);
  return [loss, isWatched ? watched : undefined].flatMap((name) => (name === undefined ? [] : figureOf(run, name)));
}

/**
 * The curves of a metric, by its name as it was recorded; those of training and validation by what they have in common, such as
 * `loss`. Throws INVALID_ARGUMENT for a metric that was not recorded.
 */
export function figureOf({ records, name: run }: RecordedRun, name: string): Figure {
  const names = namesIn(records);
  const found = names.has(name) ? [name] : [`train_${name}`, `val_${name}`].filter((each) => names.has(each));
  if (found.length === 0) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${run} has recorded no metric '${name}'.${didYouMean(name, names)} It has ${[...names].join(', ') || 'none'}.`,
    );
  }
  const isOfSteps = found.some((each) => records.some(({ interval, metrics }) => interval === 'step' && metrics !== undefined && each in metrics)); // prettier-ignore
  const interval = isOfSteps ? 'step' : 'epoch';
  return {
    title: name,
    across: `${interval}s`,
    curves: found.map((each) => ({ name: each, points: pointsOf(records, each, interval) })),
  };
}

const namesIn = (records: readonly JsonlRecord[]): Set<string> =>
  new Set(records.flatMap(({ kind, interval, metrics }) => (kind === 'metrics' && interval !== 'run' ? Object.keys(metrics ?? {}) : []))); // prettier-ignore

function pointsOf(records: readonly JsonlRecord[], name: string, interval: 'step' | 'epoch'): Point[] {
  return records.flatMap((record): Point[] => {
    const value = record.kind === 'metrics' && record.interval === interval ? record.metrics?.[name] : undefined;
    const at = record[interval];
    return value === undefined || at === undefined ? [] : [[at, Number(value)]];
  });
}
