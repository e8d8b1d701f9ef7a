import pc from 'picocolors';

import { lastOf, ranked, shownValue, variedOf } from '../sweeps/ranking.js';
import type { SweepState, TrialState } from '../sweeps/sweepState.js';

/** Longer ones are in the files. */
const longestCell = 40;

/** The trials of a sweep as a table, the best first, with what each has otherwise than the experiment. */
export function sweepTable(state: SweepState): string {
  const varied = variedOf(state);
  const names = shortNames(varied);
  const header = ['trial', state.metric, 'epoch', ...varied.map((name) => names.get(name)!), ''];
  const rows = ranked(state).map((trial) => [
    String(trial.number),
    lastOf(trial)?.value.toPrecision(5) ?? '–',
    epochsOf(trial),
    ...varied.map((name) => shownValue(trial.settings[name])),
    trial.status === 'finished' ? '' : trial.status === 'failed' ? `failed: ${trial.reason}` : trial.status,
  ]);
  const all = [header, ...rows].map((row) => row.map((cell, index) => (index === row.length - 1 ? cell : cut(cell))));
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line, index) => (index === 0 ? pc.bold(line) : index === 1 ? pc.green(line) : line)).join('\n');
}

/** The epoch of the value, and how many there were. */
function epochsOf(trial: TrialState): string {
  const last = lastOf(trial);
  return last === undefined ? '–' : `${last.bestEpoch}/${last.epochs}`;
}

const cut = (text: string): string => (text.length <= longestCell ? text : `${text.slice(0, longestCell - 1)}…`);

/** The last part of each path, unless two have the same. */
export function shortNames(paths: readonly string[]): Map<string, string> {
  const last = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  const isAlone = (path: string) => paths.filter((other) => last(other) === last(path)).length === 1;
  return new Map(paths.map((path) => [path, isAlone(path) ? last(path) : path]));
}
