import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { writeFileAtomic } from '../atomicFile.js';
import { validate } from '../config/validate.js';
import { AiforgeError } from '../errors.js';

const format = 'aiforge-sweep-1';

/** What a trial measured at the end of a round. */
const Measurement = z.strictObject({
  /** The best value of its epochs so far. */
  value: z.number(),
  /** The epoch of that value, from 1. */
  bestEpoch: z.int().min(1),
  /** Epochs that were trained in all. */
  epochs: z.int().min(1),
});
export type Measurement = z.infer<typeof Measurement>;

const TrialState = z.strictObject({
  /** From 1. */
  number: z.int().min(1),
  settings: z.record(z.string(), z.unknown()),
  /** `waiting` is also one that was interrupted, `stopped` one that others were better than. */
  status: z.enum(['waiting', 'finished', 'stopped', 'failed']),
  /** One a round. */
  measured: z.array(Measurement),
  seconds: z.number().min(0),
  /** The folder of its run, from that of the sweep; null where none has begun. */
  run: z.string().nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
});
export type TrialState = z.infer<typeof TrialState>;

const SweepState = z.strictObject({
  format: z.literal(format),
  /** The sweep's file, from the sweep's folder, and the method. */
  file: z.string(),
  method: z.string(),
  metric: z.string(),
  mode: z.enum(['min', 'max']),
  /** What decides which trials there are and what becomes of them; see `identityOf`. */
  identity: z.record(z.string(), z.unknown()),
  trials: z.array(TrialState),
});
export type SweepState = z.infer<typeof SweepState>;

/** The files of a sweep, all in one folder. */
export function sweepFiles(folder: string) {
  const inside = (name: string) => path.join(folder, name);
  return {
    state: inside('sweep.json'),
    csv: inside('results.csv'),
    jsonl: inside('results.jsonl'),
    picture: inside('parallel.svg'),
    trials: inside('trials'),
  };
}

export function newState(
  given: Omit<SweepState, 'format' | 'trials'>,
  settings: readonly Record<string, unknown>[],
): SweepState {
  return { format, ...given, trials: settings.map((own, index) => newTrial(index + 1, own)) };
}

export function newTrial(number: number, settings: Record<string, unknown>): TrialState {
  return { number, settings, status: 'waiting', measured: [], seconds: 0, run: null, reason: null };
}

export function saveState(folder: string, state: SweepState): void {
  writeFileAtomic(sweepFiles(folder).state, `${JSON.stringify(state, undefined, 1)}\n`);
}

/** The state of the sweep in a folder; undefined where there is none. Throws FILE_INVALID. */
export function loadState(folder: string): SweepState | undefined {
  const { state: file } = sweepFiles(folder);
  if (!existsSync(file)) return undefined;
  const refuse = (problem: string, cause?: unknown) =>
    new AiforgeError('FILE_INVALID', `${file} is no state of a sweep: ${problem}. Use another folder.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
  try {
    return validate(SweepState, value, { source: file });
  } catch (cause) {
    // One line a problem, below the one that counts them.
    const [, ...problems] = (cause as Error).message.split('\n');
    throw refuse(problems.map((problem) => problem.trim()).join('; '), cause);
  }
}
