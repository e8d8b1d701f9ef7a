import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

export interface MetricsLine {
  kind: string;
  step?: number;
  interval?: string;
  status?: string;
}

/** The folders of an experiment's runs among the runs of a command that was started in `folder`. */
export function runFolders(folder: string, experiment: string): string[] {
  const runs = path.join(folder, 'runs', experiment);
  return existsSync(runs) ? readdirSync(runs).map((name) => path.join(runs, name)) : [];
}

/** The folder of the only run. */
export function onlyRun(folder: string, experiment: string): string {
  const folders = runFolders(folder, experiment);
  expect(folders).to.have.length(1);
  return folders[0]!;
}

/** What a run recorded. */
export function metricsOf(directory: string): MetricsLine[] {
  return readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricsLine);
}
