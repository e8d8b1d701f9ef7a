import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { isResumeWord, type ResumeWord } from '../../config/paths.js';
import { withSourceOf } from '../../config/source.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { scope } from '../../tensor/index.js';
import { readRecords } from '../../tracking/jsonlRecords.js';
import { loadCheckpoint } from '../checkpoints/checkpoint.js';
import { isError } from '../../realms.js';
import type { Ranks } from '../ranks.js';
import { runFiles, runsOf } from './runDirectory.js';
import { RunLock } from './runLock.js';

/**
 * The configuration with a path where `training.resumeFrom` is a word: that of the checkpoint that it means among the runs of the
 * experiment, or null where `auto` finds none to go on with. Rank 0 looks, and tells the others. Throws FILE_NOT_FOUND,
 * FILE_INVALID, or TRAINING_FAILED for a run that is under way.
 */
export async function withResumed(config: ExperimentConfig, runsDir: string, ranks: Ranks): Promise<ExperimentConfig> {
  const word = config.training.resumeFrom;
  if (!isResumeWord(word)) return config;
  const found = ranks.rank === 0 ? Buffer.from(resumedFile(word, runsDir, config.experimentName) ?? '') : null;
  const file = Buffer.from(await ranks.broadcastBytes(found)).toString();
  return withFile(config, file === '' ? null : file);
}

/** The same for one process that only looks. */
export function withResumedHere(config: ExperimentConfig, runsDir: string): ExperimentConfig {
  const word = config.training.resumeFrom;
  return isResumeWord(word) ? withFile(config, resumedFile(word, runsDir, config.experimentName)) : config;
}

function withFile(config: ExperimentConfig, resumeFrom: string | null): ExperimentConfig {
  return withSourceOf(config, { ...config, training: { ...config.training, resumeFrom } });
}

function resumedFile(word: ResumeWord, runsDir: string, experimentName: string): string | null {
  if (existsSync(word)) {
    logger.warn(
      `'${word}' is taken as the word for a run of ${runsDir}; the ${word} in the working directory is written ./${word}`,
    );
  }
  const runs = runsOf(runsDir, experimentName);
  if (word === 'auto') return unfinished(runs);
  const [newest] = runs;
  if (newest === undefined) throw noRun(word, runsDir, experimentName);
  const file = path.resolve(word === 'last' ? runFiles(newest).last : runFiles(newest).bestCheckpoint);
  if (existsSync(file)) return file;
  const others = runs.filter((run) => hasCheckpoint(run)).slice(0, mostListed);
  const list = others.length === 0 ? 'No run of the experiment has a checkpoint.' : `Runs with checkpoints, the newest first: ${others.join(', ')}.`; // prettier-ignore
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `training.resumeFrom is '${word}', but the newest run of '${experimentName}', ${newest}, has no ${path.basename(file)}. ${list} Give the folder of a run, or a checkpoint in it.`,
  );
}

const mostListed = 5;

function noRun(word: string, runsDir: string, experimentName: string): AiforgeError {
  const experiments = existsSync(runsDir) ? readdirSync(runsDir).filter((name) => runsOf(runsDir, name).length > 0) : []; // prettier-ignore
  const others = experiments.length === 0 ? `${runsDir} has no runs` : `${runsDir} has runs of ${experiments.slice(0, mostListed).join(', ')}`; // prettier-ignore
  return new AiforgeError(
    'FILE_NOT_FOUND',
    `training.resumeFrom is '${word}', but there is no run of '${experimentName}': ${others}. Look at RUNS_DIR and experimentName, give the folder of a run, or begin one without it.`,
  );
}

/** The checkpoint of the newest run that is not finished; null where there is none. */
function unfinished(runs: readonly string[]): string | null {
  for (const run of runs) {
    if (isFinished(run)) continue;
    RunLock.requireFree(run);
    const file = newestComplete(run);
    if (file !== undefined) return file;
    logger.warn(`${run} is not finished and has no checkpoint to go on from: it is passed over`);
  }
  return null;
}

function isFinished(run: string): boolean {
  const last = readRecords(run).findLast(({ kind }) => kind === 'start' || kind === 'finish');
  return last?.kind === 'finish' && last.status === 'FINISHED';
}

/** The older checkpoints that are kept in a run's folder, the newest first. */
function keptIn(run: string): string[] {
  const { checkpoints } = runFiles(run);
  const names = existsSync(checkpoints) ? readdirSync(checkpoints).filter((name) => /^step-\d+\.safetensors$/.test(name)) : []; // prettier-ignore
  return names
    .sort()
    .reverse()
    .map((name) => path.join(checkpoints, name));
}

const hasCheckpoint = (run: string): boolean => existsSync(runFiles(run).last) || keptIn(run).length > 0;

/** The last checkpoint of a run, or the newest that is kept where that one is damaged; undefined where it never had one. */
function newestComplete(run: string): string | undefined {
  const { last, bestCheckpoint } = runFiles(run);
  const all = [last, ...keptIn(run), bestCheckpoint].filter((file) => existsSync(file)).map((file) => path.resolve(file)); // prettier-ignore
  const problems: string[] = [];
  for (const file of all) {
    try {
      scope(() => void loadCheckpoint(file));
      if (problems.length > 0) logger.warn(`${problems[0]} Going on from ${file} instead.`);
      return file;
    } catch (error) {
      if (!isError(error)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length === 0) return undefined;
  throw new AiforgeError(
    'FILE_INVALID',
    `The run in ${run} is not finished, and none of its checkpoints is whole: ${problems.join(' ')} Move its folder away to begin a new run.`,
  );
}
