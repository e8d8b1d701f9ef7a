import { existsSync, statSync } from 'node:fs';
import path from 'node:path';

import { checkpointFile } from '../../core/checkpoints/checkpoint.js';
import { runFiles, type RunFiles } from '../../core/runs/runDirectory.js';
import { AiforgeError } from '../../errors.js';

const example = 'such as runs/spam/2026-01-31_12-00-00';

/** The files of a run that an argument names by its folder. */
export function runAt(given: string): RunFiles {
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder && existsSync(runFiles(given).config)) return runFiles(path.resolve(given));
  const problem = isFolder ? `'${given}' is no run's folder: it has no config.yaml` : `there is no folder '${given}'`;
  throw new AiforgeError('FILE_NOT_FOUND', `${problem}. Give the folder of a run, ${example}.`);
}

/** The file that an argument names: a checkpoint, weights, or the last checkpoint of a run. */
export function fileAt(given: string): string {
  const file = checkpointFile(given);
  if (existsSync(file)) return file;
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `there is no ${file}. Give a checkpoint, or the folder of a run, ${example}; aiforge checkpoints ls lists what a run has.`,
  );
}
