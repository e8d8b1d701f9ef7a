import type { SweepState, TrialState } from './sweepState.js';

type Mode = SweepState['mode'];

/** The last measurement of a trial. */
export const lastOf = (trial: TrialState): TrialState['measured'][number] | undefined => trial.measured.at(-1);

/** Trials by what they measured in a round, the best first; of two alike, the one with the smaller number. */
export function best(trials: readonly TrialState[], round: number, mode: Mode): TrialState[] {
  const sign = mode === 'min' ? 1 : -1;
  return [...trials].sort(
    (a, b) => sign * (a.measured[round]!.value - b.measured[round]!.value) || a.number - b.number,
  );
}

/** In the order of a result: those that went further first, then by the metric; those that failed or wait at the end. */
export function ranked({ trials, mode }: SweepState): TrialState[] {
  const places = { finished: 0, stopped: 1, waiting: 2, failed: 3 } as const;
  const sign = mode === 'min' ? 1 : -1;
  const value = (trial: TrialState) => (lastOf(trial)?.value ?? Infinity * sign) * sign;
  return [...trials].sort(
    (a, b) =>
      places[a.status] - places[b.status] ||
      b.measured.length - a.measured.length ||
      // Two infinities have no difference.
      (value(a) === value(b) ? a.number - b.number : value(a) - value(b)),
  );
}

/** The settings that a sweep varies, by their paths. */
export function variedOf({ trials }: SweepState): string[] {
  return [...new Set(trials.flatMap(({ settings }) => Object.keys(settings)))];
}

/** A setting as the command line takes it. */
export function shownValue(value: unknown): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}
