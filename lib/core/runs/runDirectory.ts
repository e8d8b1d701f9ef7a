import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { makeFolders } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';

/** The files of a run, all in one folder. */
export interface RunFiles {
  directory: string;
  /** The resolved configuration. */
  config: string;
  /** Weights of the best epoch. */
  best: string;
  /** Everything that is needed to go on. */
  last: string;
  /** As `last`, of the best epoch. */
  bestCheckpoint: string;
  /** Folder of the older checkpoints and weights that are kept. */
  checkpoints: string;
  /** The list of all of them, with their checksums. */
  manifest: string;
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
    bestCheckpoint: inside('best-checkpoint.safetensors'),
    checkpoints: inside('checkpoints'),
    manifest: inside('manifest.json'),
    preprocessor: inside('preprocessor.json'),
    metrics: inside('metrics.jsonl'),
    log: inside('log.jsonl'),
  };
}

/** The run's folder of a checkpoint in it, or in its folder of those that are kept. */
export function runDirectoryOf(checkpoint: string): string {
  const folder = path.dirname(checkpoint);
  const parent = path.dirname(folder);
  return runFiles(parent).checkpoints === folder && existsSync(runFiles(parent).config) ? parent : folder;
}

/** The folder of an experiment's runs. */
export function experimentDirectory(runsDir: string, experimentName: string): string {
  return path.join(runsDir, experimentName.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '_'));
}

/** The folders of an experiment's runs, the newest first. */
export function runsOf(runsDir: string, experimentName: string): string[] {
  const parent = experimentDirectory(runsDir, experimentName);
  const partsOf = (name: string) => /^(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?:_(\d+))?$/.exec(name);
  const names = existsSync(parent) ? readdirSync(parent) : [];
  return names
    .flatMap((name) => {
      const parts = partsOf(name);
      return parts === null
        ? []
        : [{ directory: path.join(parent, name), time: parts[1]!, number: Number(parts[2] ?? 1) }];
    })
    .sort((a, b) => (a.time === b.time ? b.number - a.number : a.time < b.time ? 1 : -1))
    .map(({ directory }) => directory);
}

/** Makes `<runsDir>/<experiment>/<time>`; a number is added when there is one of that second already. */
export function createRunDirectory(runsDir: string, experimentName: string, now = new Date()): string {
  const time = now.toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  const parent = experimentDirectory(runsDir, experimentName);
  making(parent, makeFolders);
  for (let attempt = 1; attempt < 10_000; ++attempt) {
    const directory = path.join(parent, attempt === 1 ? time : `${time}_${attempt}`);
    // Making it is what takes it: of several processes, one succeeds.
    if (making(directory, takeFolder)) return directory;
  }
  throw new AiforgeError('TRAINING_FAILED', `${parent} has 9,999 runs of this second; set RUNS_DIR to another folder.`);
}

/** False when the folder is there already. */
function takeFolder(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function making<T>(directory: string, make: (directory: string) => T): T {
  try {
    return make(directory);
  } catch (cause) {
    throw new AiforgeError(
      'TRAINING_FAILED',
      `The run's folder ${directory} cannot be made: ${(cause as Error).message}. Set RUNS_DIR to a folder that can be written.`,
      { cause },
    );
  }
}

/** Tells of files that somebody took away while the run went on. */
export function warnOfMissing({ directory, config, metrics, log }: RunFiles): void {
  const missing = [config, metrics, log].filter((file) => !existsSync(file)).map((file) => path.basename(file));
  if (missing.length === 0) return;
  logger.warn(
    `${missing.join(' and ')} of ${directory} went missing while the run went on: what was written there is lost.`,
  );
}

/** Removes what a process left that was killed while it wrote. Only for who holds the folder's lock. */
export function removeHalfWritten({ directory, checkpoints }: RunFiles): void {
  for (const folder of [directory, checkpoints]) if (existsSync(folder)) removeIn(folder);
}

function removeIn(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/^\..+\.tmp$/.test(name)) rmSync(path.join(directory, name), { force: true });
  }
}
