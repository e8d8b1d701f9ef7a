import pc from 'picocolors';
import type { Colors } from 'picocolors/types.js';

import { plot } from '../plot/plot.js';
import { figureOf, usualFigures } from './curves.js';
import { cutEnd, lineWidth, shownDuration, shownNumber, shownPath, shownSetting } from './format.js';
import { jsonNumber, paint, summary } from './list.js';
import { readRun, scoresOf, type RecordedRun } from './recordedRun.js';
import { runCalled } from './runFolder.js';
import { notDefault } from './runSettings.js';
import { pairs, table } from './table.js';

export interface ShowOptions {
  metric?: string[];
  /** False for no curves. */
  plot?: boolean;
  json?: boolean;
}

/** Prints what a run is, what it scored and its curves. */
export function showRun(given: string, options: ShowOptions): number {
  const run = readRun(runCalled(given));
  const text = options.json === true ? JSON.stringify(asJson(run), null, 2) : shownRun(run, options, lineWidth());
  process.stdout.write(`${text}\n`);
  return 0;
}

function asJson(run: RecordedRun) {
  const scores = Object.entries(scoresOf(run)).map(([name, value]) => [name, jsonNumber(value)]);
  return { ...summary(run), settings: run.settings ?? null, scores: Object.fromEntries(scores) as object };
}

/** The text of `aiforge runs show`. */
export function shownRun(run: RecordedRun, options: ShowOptions, width: number, colors: Colors = pc): string {
  const figures = options.metric?.map((name) => figureOf(run, name)) ?? usualFigures(run);
  const plots = options.plot === false ? [] : figures.map(({ title, across, curves }) => plot(curves, { title, across, width, colors })); // prettier-ignore
  const parts = [heading(run, width, colors), scores(run, width, colors), settings(run, width, colors), ...plots.map((text) => [text])]; // prettier-ignore
  return parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n'); // prettier-ignore
}

function heading(run: RecordedRun, width: number, colors: Colors): string[] {
  const { name, status, start, seconds, epochs, plannedEpochs, directory } = run;
  const planned = plannedEpochs === undefined ? '' : ` of ${plannedEpochs}`;
  const rows = [
    ['started', `${new Date(start).toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    ['took', shownDuration(seconds)],
    ['epochs', `${epochs}${planned}`],
  ] as const;
  // A path is whole, to be copied, however long it is.
  const folder = `  folder   ${shownPath(directory)}`;
  return [`${colors.bold(name)}  ${paint(status, status, colors)}`, ...pairs(rows, width), folder];
}

/** A row for each metric, a column for each split. */
function scores(run: RecordedRun, width: number, colors: Colors): string[] {
  const values = scoresOf(run);
  const splits = ['train', 'val', 'test'].filter((split) =>
    Object.keys(values).some((key) => key.startsWith(`${split}_`)),
  );
  if (splits.length === 0) return [];
  const names = new Set(Object.keys(values).flatMap((key) => /^(?:train|val|test)_(.+)$/.exec(key)?.[1] ?? []));
  const { epoch, name: watched } = run.monitor;
  const isWatched = (key: string) => epoch !== undefined && key === watched;
  const rows = [...names].map((name) => [
    { text: name },
    ...splits.map((split) => {
      const key = `${split}_${name}`;
      return { text: shownNumber(values[key]), ...(isWatched(key) && { paint: colors.bold }) };
    }),
  ]);
  const which = epoch === undefined ? 'the last epoch' : `epoch ${epoch}, best by ${watched}`;
  return [
    `${colors.bold('Scores')} ${colors.dim(cutEnd(`of ${which}`, width - 7))}`,
    ...table(['', ...splits], rows, width),
  ];
}

function settings(run: RecordedRun, width: number, colors: Colors): string[] {
  if (run.settings === undefined) return [colors.dim('There is no config.yaml that can be read.')];
  const rows = Object.entries(notDefault(run.settings)).map(([name, value]) => [name, shownSetting(value)] as const);
  const changes = run.records.flatMap(({ kind, step, changes: all }) =>
    kind === 'changes'
      ? Object.entries(all ?? {}).map(([name, { from, to }]) => [`${name} at step ${step}`, `${shownSetting(from)} → ${shownSetting(to)}`] as const) // prettier-ignore
      : [],
  );
  const changed = changes.length === 0 ? [] : ['', colors.bold('Changed by a resume'), ...pairs(changes, width)];
  return [colors.bold('Settings that are not the default'), ...pairs(rows, width), ...changed];
}
