import pc from 'picocolors';
import type { Colors } from 'picocolors/types.js';

import { AiforgeError } from '../../errors.js';
import { plot } from '../plot/plot.js';
import { figureOf, type Figure } from './curves.js';
import { cutStart, lineWidth, shownNumber, shownSetting } from './format.js';
import { jsonNumber, paint, summary } from './list.js';
import { readRun, scoresOf, type RecordedRun } from './recordedRun.js';
import { runCalled } from './runFolder.js';
import { differing } from './runSettings.js';
import { pairs, table, type Cell } from './table.js';

export interface CompareOptions {
  metric?: string[];
  /** False for no curves. */
  plot?: boolean;
  json?: boolean;
}

type Mode = 'min' | 'max';

/** Longer values of settings are not put beside each other. */
const mostBeside = 14;

/** Prints in what runs differ. */
export function compareRuns(given: readonly string[], options: CompareOptions): number {
  if (given.length < 2) {
    throw new AiforgeError('INVALID_ARGUMENT', `'${given.join()}' is one run; expected two or more to compare.`);
  }
  const runs = given.map((each) => readRun(runCalled(each)));
  const text =
    options.json === true ? JSON.stringify(asJson(runs), null, 2) : shownComparison(runs, options, lineWidth());
  process.stdout.write(`${text}\n`);
  return 0;
}

function asJson(runs: readonly RecordedRun[]) {
  const rows = metricsOf(runs).map(({ name, values, best }) => [name, { values: values.map(jsonNumber), best }]);
  const settings = Object.entries(settingsOf(runs)).map(([name, values]) => [
    name,
    values.map((value) => value ?? null),
  ]);
  return {
    runs: runs.map(summary),
    settings: Object.fromEntries(settings) as object,
    metrics: Object.fromEntries(rows) as object,
  };
}

const settingsOf = (runs: readonly RecordedRun[]) => differing(runs.map((run) => run.settings ?? {}));

/** The text of `aiforge runs compare`: the runs are numbered, and columns and curves go by their numbers. */
export function shownComparison(
  runs: readonly RecordedRun[],
  options: CompareOptions,
  width: number,
  colors: Colors = pc,
): string {
  const figures = options.plot === false ? [] : figuresOf(runs, options.metric);
  const parts = [
    named(runs, width, colors),
    settings(runs, width, colors),
    metrics(runs, width, colors),
    ...figures.map(({ title, across, curves }) => [plot(curves, { title, across, width, colors })]),
  ];
  return parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n'); // prettier-ignore
}

const numbers = (runs: readonly RecordedRun[]): string[] => runs.map((_, i) => `[${i + 1}]`);

/** A line for each run: its number, its name, how it ended and how far it came. */
function named(runs: readonly RecordedRun[], width: number, colors: Colors): string[] {
  const ended = runs.map(({ epochs, plannedEpochs: all }) => `${epochs}${all === undefined ? '' : `/${all}`} epochs`);
  const widest = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length));
  const statuses = widest(runs.map(({ status }) => status));
  const room = width - `[${runs.length}]     `.length - statuses - widest(ended);
  const names = runs.map(({ name }) => cutStart(name, room));
  return runs.map(({ status }, i) => {
    const name = colors.bold(names[i]) + ' '.repeat(widest(names) - names[i]!.length);
    return `[${i + 1}] ${name}  ${paint(status, status.padEnd(statuses), colors)}  ${ended[i]}`;
  });
}

/** Beside each other where all values are short, else one below the other. */
function settings(runs: readonly RecordedRun[], width: number, colors: Colors): string[] {
  const rows = Object.entries(settingsOf(runs)).map(([name, values]) => ({ name, values: values.map(shownSetting) }));
  if (rows.length === 0) return [colors.dim('Their settings are the same.')];
  const isShort = ({ values }: (typeof rows)[number]) => values.every((value) => value.length <= mostBeside);
  const short = rows.filter(isShort).map(({ name, values }) => [name, ...values].map((text) => ({ text })));
  const beside = short.length === 0 ? [] : table(['', ...numbers(runs)], short, width);
  const below = rows.filter((row) => !isShort(row)).flatMap(({ name, values }) => [
    `  ${name}`,
    ...pairs(values.map((value, i) => [`  [${i + 1}]`, value]), width),
  ]); // prettier-ignore
  return [colors.bold('Settings that differ'), ...beside, ...below];
}

interface Row {
  name: string;
  values: (number | undefined)[];
  /** The places of the best values; null where nobody knows which is better. */
  best: number[] | null;
}

function metricsOf(runs: readonly RecordedRun[]): Row[] {
  const all = runs.map(scoresOf);
  const names = [...new Set(all.flatMap(Object.keys))].filter((name) => /^(train|val|test)_/.test(name));
  return names.map((name) => {
    const values = all.map((scores) => scores[name]);
    const mode = modeOf(name, runs);
    const known = values.filter((value) => value !== undefined && !Number.isNaN(value)) as number[];
    const best = mode === undefined ? null : Math[mode](...known);
    return { name, values, best: best === null ? null : values.flatMap((value, i) => (value === best ? [i] : [])) };
  });
}

const lessIsBetter = /(^|_)(loss|error|mae|mse|rmse|mape|perplexity|wer|cer)$/i;
const moreIsBetter = /(^|_)(accuracy|f1|precision|recall|auc|auroc|r2|iou|dice|psnr|ssim|bleu)$/i;

/** Which values of a metric are better: as runs that watch it say, else by the names that metrics have. */
function modeOf(name: string, runs: readonly RecordedRun[]): Mode | undefined {
  const bare = (metric: string) => metric.replace(/^(train|val|test)_/, '');
  const watching = runs.find(({ monitor }) => bare(monitor.name) === bare(name));
  if (watching !== undefined) return watching.monitor.mode;
  return lessIsBetter.test(name) ? 'min' : moreIsBetter.test(name) ? 'max' : undefined;
}

function metrics(runs: readonly RecordedRun[], width: number, colors: Colors): string[] {
  const found = metricsOf(runs);
  if (found.length === 0) return [];
  const rows = found.map(({ name, values, best }): Cell[] => [
    { text: name },
    ...values.map((value, i) => {
      const isBest = best?.includes(i) ?? false;
      return { text: `${shownNumber(value)}${isBest ? '*' : ' '}`, ...(isBest && { paint: colors.green }) };
    }),
  ]);
  const note = 'of the best epochs; * is best';
  return [`${colors.bold('Metrics')} ${colors.dim(note)}`, ...table(['', ...numbers(runs).map((each) => `${each} `)], rows, width)]; // prettier-ignore
}

/** The curves of a metric of all runs in one figure; without one given, of the one that the first run watches. */
function figuresOf(runs: readonly RecordedRun[], given: readonly string[] | undefined): Figure[] {
  const watched = runs[0]!.monitor.name;
  const usual = runs.every(({ records }) => records.some(({ metrics: all }) => all !== undefined && watched in all)) ? [watched] : []; // prettier-ignore
  return (given ?? usual).map((name) => {
    const figures = runs.map((run) => figureOf(run, name));
    const curves = figures.flatMap(({ curves: own }, i) =>
      own.map((curve) => ({ ...curve, name: own.length > 1 ? `[${i + 1}] ${curve.name}` : `[${i + 1}]` })),
    );
    return { ...figures[0]!, curves };
  });
}
