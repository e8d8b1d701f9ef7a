import path from 'node:path';

import pc from 'picocolors';

import type { RunResult } from '../core/callback.js';
import type { ConfusionTable } from '../core/training/metrics.js';
import { runFiles } from '../core/runs/runDirectory.js';

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')}`).join('\n');
}

function confusion(counts: ConfusionTable, classNames: readonly string[] | undefined): string {
  const names = counts.map((_, c) => classNames?.[c] ?? `class ${c}`);
  const header = ['is \\ predicted as', ...names];
  return table([header, ...counts.map((row, c) => [names[c]!, ...row.map(String)])]);
}

/** The text at the end of a run: scores on the held-out split, where the files are, and what to try next. */
export function report(result: RunResult, configFile: string, nextTry: string): string {
  const shown = (file: string) => path.relative(process.cwd(), file) || '.';
  const files = runFiles(result.runDirectory);
  const lines: string[] = [''];
  if (result.stoppedEarly) lines.push(`Stopped early after epoch ${result.epochs}.`);
  if (result.test !== undefined) {
    const { loss, accuracy, f1, confusion: counts } = result.test;
    const scores =
      accuracy === undefined ? '' : `, accuracy ${pc.bold(accuracy.toFixed(4))}, F1 ${pc.bold(f1!.toFixed(4))}`;
    lines.push(`Held-out test (weights of epoch ${result.bestEpoch + 1}): loss ${loss.toFixed(4)}${scores}`);
    if (counts !== undefined) lines.push(confusion(counts, result.classNames));
  }
  lines.push(
    '',
    `  configuration  ${shown(files.config)}`,
    `  best weights   ${shown(files.best)}`,
    `  checkpoint     ${shown(files.last)}`,
    `  metrics        ${shown(files.metrics)}`,
    `  log            ${shown(files.log)}`,
  );
  if (result.mlflowRunId !== null) lines.push(`  MLflow run     ${result.mlflowRunId}`);
  const resume = `npx aiforge train ${shown(configFile)} training.resumeFrom=${shown(result.runDirectory)}`;
  lines.push('', result.status === 'interrupted' ? `Interrupted. Go on with: ${resume}` : `Next: ${nextTry}`);
  return lines.join('\n');
}
