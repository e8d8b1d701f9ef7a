import { existsSync } from 'node:fs';
import path from 'node:path';

import pc from 'picocolors';

import type { EvaluationScores, RunResult } from '../core/callbacks/callback.js';
import type { ConfusionTable } from '../core/training/measuring/classCounts.js';
import { runFiles } from '../core/runs/runDirectory.js';

/** Beyond so many classes a table of them is no longer read. */
const mostClasses = 20;

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')}`).join('\n');
}

function confusion(counts: ConfusionTable, classNames: readonly string[] | undefined): string {
  const names = counts.map((_, c) => classNames?.[c] ?? `class ${c}`);
  const header = ['is \\ predicted as', ...names];
  return table([header, ...counts.map((row, c) => [names[c]!, ...row.map(String)])]);
}

/** What a model scored on a split, with the table of its classes. */
export function scoreLines(
  title: string,
  { loss, accuracy, f1, metrics, confusion: counts }: EvaluationScores,
  classNames: readonly string[] | undefined,
): string[] {
  const scores =
    accuracy === undefined ? '' : `, accuracy ${pc.bold(accuracy.toFixed(4))}, F1 ${pc.bold(f1!.toFixed(4))}`;
  const others = Object.entries(metrics).filter(([name]) => name !== 'accuracy' && name !== 'f1');
  const measured = others.map(([name, value]) => `, ${name} ${value.toFixed(4)}`).join('');
  const line = `${title}: loss ${loss.toFixed(4)}${scores}${measured}`;
  return counts !== undefined && counts.length <= mostClasses ? [line, confusion(counts, classNames)] : [line];
}

/** The text at the end of a run: scores on the held-out split, where the files are, and what to try next. */
export function report(result: RunResult, nextTry: string): string {
  const shown = (file: string) => path.relative(process.cwd(), file) || '.';
  const files = runFiles(result.runDirectory);
  const lines: string[] = [''];
  if (result.stoppedEarly) lines.push(`Stopped early after epoch ${result.epochs}.`);
  if (result.test !== undefined) {
    lines.push(...scoreLines(`Held-out test (weights of epoch ${result.bestEpoch})`, result.test, result.classNames));
  }
  lines.push(
    '',
    `  configuration  ${shown(files.config)}`,
    ...(result.bestEpoch === null ? [] : [`  best weights   ${shown(files.best)}`]),
    ...(existsSync(files.last) ? [`  checkpoint     ${shown(files.last)}`] : []),
    `  metrics        ${shown(files.metrics)}`,
    `  log            ${shown(files.log)}`,
  );
  if (result.mlflowRunId !== null) lines.push(`  MLflow run     ${result.mlflowRunId}`);
  lines.push(
    '',
    result.status === 'interrupted' ? `Interrupted. Go on with: ${resumeCommand(result)}` : `Next: ${nextTry}`,
  );
  return lines.join('\n');
}

/** What a shell is to be given to go on with a run: its configuration is the run's own, and so is the number of processes. */
function resumeCommand({ runDirectory, worldSize }: RunResult): string {
  return `${trainCommand(worldSize)} --resume ${quoted(path.relative(process.cwd(), runDirectory) || '.')}`;
}

/** The command that trains on as many ranks. */
export function trainCommand(worldSize: number): string {
  return worldSize > 1 ? `npx aiforge-launch --nproc ${worldSize} train` : 'npx aiforge train';
}

/** As one word of a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
