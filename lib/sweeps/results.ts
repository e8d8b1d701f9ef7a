import { writeFileAtomic } from '../atomicFile.js';
import { parallelCoordinates } from './parallelCoordinates.js';
import { lastOf, ranked, shownValue, variedOf } from './ranking.js';
import { sweepFiles, type SweepState, type TrialState } from './sweepState.js';

/** Writes what a sweep has measured so far, best first: `results.csv`, `results.jsonl` and, of two trials or more, `parallel.svg`. */
export function writeResults(folder: string, state: SweepState): void {
  const files = sweepFiles(folder);
  const trials = ranked(state);
  writeFileAtomic(files.csv, csv(state, trials));
  writeFileAtomic(files.jsonl, trials.map((trial) => `${JSON.stringify(lineOf(state, trial))}\n`).join(''));
  const picture = parallelCoordinates(state);
  if (picture !== undefined) writeFileAtomic(files.picture, picture);
}

function lineOf({ metric }: SweepState, trial: TrialState) {
  const { number, status, seconds, run, reason, settings, measured } = trial;
  const { value = null, bestEpoch = null, epochs = null } = lastOf(trial) ?? {};
  return { trial: number, status, metric, value, bestEpoch, epochs, seconds, settings, measured, run, reason };
}

function csv(state: SweepState, trials: readonly TrialState[]): string {
  const varied = variedOf(state);
  const header = ['trial', 'status', state.metric, 'bestEpoch', 'epochs', 'seconds', ...varied, 'run', 'reason'];
  const rows = trials.map((trial) => {
    const { value, bestEpoch, epochs } = lastOf(trial) ?? {};
    const measured = [trial.number, trial.status, value, bestEpoch, epochs, Number(trial.seconds.toFixed(3))];
    return [...measured, ...varied.map((name) => trial.settings[name]), trial.run ?? '', trial.reason ?? ''];
  });
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

/** By RFC 4180. */
function cell(value: unknown): string {
  const text = shownValue(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
