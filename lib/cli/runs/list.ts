import pc from 'picocolors';
import type { Colors } from 'picocolors/types.js';

import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { isOfTerminal, lineWidth, shownDuration, shownNumber, shownPath } from './format.js';
import { readRun, type RecordedRun, type Status } from './recordedRun.js';
import { folderOfRuns, runsIn } from './runFolder.js';

export interface ListOptions {
  experiment?: string;
  status?: Status;
  json?: boolean;
}

/** Prints the runs in a folder, those that began last at the end. */
export function listRuns(given: string | undefined, options: ListOptions): number {
  const folder = folderOfRuns(given);
  const all = runsIn(folder).map((directory) => readRun(directory, { steps: false }));
  checkExperiment(options.experiment, all);
  const runs = all
    .filter(({ experiment }) => options.experiment === undefined || experiment === options.experiment)
    .filter(({ status }) => options.status === undefined || status === options.status)
    .sort((a, b) => a.start - b.start);
  if (options.json === true) process.stdout.write(`${JSON.stringify(runs.map(summary), null, 2)}\n`);
  else process.stdout.write(`${shownList(runs, folder, all.length, isOfTerminal() ? lineWidth() : Infinity).join('\n')}\n`); // prettier-ignore
  return 0;
}

function checkExperiment(name: string | undefined, runs: readonly RecordedRun[]): void {
  const names = new Set(runs.map(({ experiment }) => experiment));
  if (name === undefined || names.has(name) || names.size === 0) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `No run is of the experiment '${name}'.${didYouMean(name, names)} There are ${[...names].join(', ')}.`,
  );
}

/** A run as programs get it. */
export function summary({
  directory,
  experiment,
  start,
  status,
  epochs,
  plannedEpochs,
  monitor,
  seconds,
}: RecordedRun) {
  return {
    directory,
    experiment,
    start: new Date(start).toISOString(),
    status,
    epochs,
    plannedEpochs: plannedEpochs ?? null,
    monitor: { ...monitor, best: jsonNumber(monitor.best), epoch: monitor.epoch ?? null },
    seconds,
  };
}

/** JSON has no infinities; null where there is no number. */
export const jsonNumber = (value: number | undefined): number | string | null =>
  value === undefined ? null : Number.isFinite(value) ? value : String(value);

/** As a table, or where that does not fit in two lines a run. Names are whole, to be copied. */
export function shownList(
  runs: readonly RecordedRun[],
  folder: string,
  total: number,
  width: number,
  colors: Colors = pc,
): string[] {
  if (runs.length === 0) return [total === 0 ? `No runs in ${shownPath(folder)}.` : `None of the ${total} runs in ${shownPath(folder)} is such.`]; // prettier-ignore
  const rows = runs.map((run) => rowOf(run));
  const header = ['run (start, UTC)', 'status', 'epochs', 'best', 'took'];
  const widths = header.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  const painted = (row: readonly string[], i: number) => [
    row[0]!,
    paint(runs[i]!.status, row[1]!, colors),
    ...row.slice(2),
  ];
  const isTable = widths.reduce((sum, each) => sum + each + 2, -2) <= width;
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i]!));
  if (!isTable) {
    const narrow = ([name, status, ...others]: readonly string[]) => [
      name!,
      `  ${status} ${others.join(' ').trimEnd()}`,
    ];
    return rows.flatMap((row, i) => narrow([row[0]!, ...painted(line(row), i).slice(1)]));
  }
  return [colors.dim(line(header).join('  ').trimEnd()), ...rows.map((row, i) => painted(line(row), i).join('  ').trimEnd())]; // prettier-ignore
}

function rowOf({ name, status, epochs, plannedEpochs, monitor, seconds }: RecordedRun): string[] {
  const planned = plannedEpochs === undefined ? '' : `/${plannedEpochs}`;
  const best = monitor.best === undefined ? '–' : `${monitor.name} ${shownNumber(monitor.best)}`;
  return [name, status, `${epochs}${planned}`, best, shownDuration(seconds)];
}

const hues = { finished: 'green', interrupted: 'yellow', failed: 'red', running: 'cyan', died: 'red' } as const;

/** A status in its colour. */
export const paint = (status: Status, text: string, colors: Colors): string => colors[hues[status]](text);
