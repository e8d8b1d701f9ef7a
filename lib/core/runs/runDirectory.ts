import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { AiforgeError } from '../../errors.js';

/** The files of a run, all in one folder. */
export interface RunFiles {
  directory: string;
  /** The resolved configuration. */
  config: string;
  /** Weights of the best epoch. */
  best: string;
  /** Everything that is needed to go on. */
  last: string;
  preprocessor: string;
  metrics: string;
  log: string;
}

export function runFiles(directory: string): RunFiles {
  const inside = (name: string) => path.join(directory, name);
  return {
    directory,
    config: inside('config.yaml'),
    best: inside('best.safetensors'),
    last: inside('last.safetensors'),
    preprocessor: inside('preprocessor.json'),
    metrics: inside('metrics.jsonl'),
    log: inside('log.jsonl'),
  };
}

/** Makes `<runsDir>/<experiment>/<time>`; a number is added when there is one of that second already. */
export function createRunDirectory(runsDir: string, experimentName: string, now = new Date()): string {
  const safeName = experimentName.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '_');
  const time = now.toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  const parent = path.join(runsDir, safeName);
  makeFolder(parent, { recursive: true });
  for (let attempt = 1; attempt < 10_000; ++attempt) {
    const directory = path.join(parent, attempt === 1 ? time : `${time}_${attempt}`);
    // Making it is what takes it: of several processes, one succeeds.
    if (makeFolder(directory)) return directory;
  }
  throw new AiforgeError('TRAINING_FAILED', `${parent} has 9,999 runs of this second; set RUNS_DIR to another folder.`);
}

/** False when the folder is there already. */
function makeFolder(directory: string, options: { recursive?: boolean } = {}): boolean {
  try {
    mkdirSync(directory, options);
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && options.recursive !== true) return false;
    throw new AiforgeError(
      'TRAINING_FAILED',
      `The run's folder ${directory} cannot be made: ${message}. Set RUNS_DIR to a folder that can be written.`,
      { cause: error },
    );
  }
}

/** Removes what a process left that was killed while it wrote. Only for who holds the folder's lock. */
export function removeHalfWritten(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/^\..+\.tmp$/.test(name)) rmSync(path.join(directory, name), { force: true });
  }
}
