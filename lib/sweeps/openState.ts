import path from 'node:path';

import { AiforgeError } from '../errors.js';
import type { SweepPlan } from './plan.js';
import { loadState, newState, newTrial, type SweepState } from './sweepState.js';

/**
 * The state of a plan's sweep in a folder: the one that is there, if it is of the same plan, with the trials that are new. Throws
 * CONFIG_INVALID, with what is otherwise, where it is of another.
 */
export function openState(plan: SweepPlan, folder: string): SweepState {
  const found = loadState(folder);
  const { method, metric, mode, identity } = plan;
  const file = path.relative(folder, plan.file);
  if (found === undefined) return newState({ file, method, metric, mode, identity }, plan.trials);
  const changed = [...differences(found.identity, identity)];
  const isKept = found.trials.every(({ settings }, index) => isSame(settings, plan.trials[index]));
  if (changed.length === 0 && !isKept) changed.push(`  trials: ${found.trials.length} became ${plan.trials.length}`);
  if (changed.length > 0) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      `${folder} has a sweep that was begun otherwise, and it can only go on as it was:\n${changed.join('\n')}\n` +
        'Set these as they were, give another --folder, or remove this one.',
    );
  }
  // More draws of the same seed begin with the same ones.
  const added = plan.trials.slice(found.trials.length);
  const known = found.trials.length;
  return { ...found, file, trials: [...found.trials, ...added.map((own, index) => newTrial(known + index + 1, own))] };
}

function* differences(before: unknown, now: unknown, under: readonly string[] = []): Generator<string> {
  if (isSame(before, now)) return;
  if (!isMapping(before) || !isMapping(now)) {
    yield `  ${under.join('.')}: ${show(before)} became ${show(now)}`;
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    yield* differences(before[key], now[key], [...under, key]);
  }
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
