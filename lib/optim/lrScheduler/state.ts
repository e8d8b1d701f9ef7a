import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { stateDictName } from '../../nn/members/moduleNames.js';
import { camelCase } from '../../tensor/calls/schema.js';
import { Tensor } from '../../tensor/tensor.js';
import { copyOf } from './rates.js';

/** A scheduler's state under PyTorch's names. */
export type SchedulerStateDict = Record<string, unknown>;

// What is not its own name with underscores.
const pythonNames: Record<string, string> = {
  annealFuncType: '_anneal_func_type',
  annealStrategy: '_anneal_strategy',
  changes: '_milestones',
  getLrCalledWithinStep: '_get_lr_called_within_step',
  isInitial: '_is_initial',
  lastLr: '_last_lr',
  schedulePhases: '_schedule_phases',
  stepCount: '_step_count',
  t0: 'T_0',
  tCur: 'T_cur',
  tI: 'T_i',
  tMax: 'T_max',
  tMult: 'T_mult',
};
const ownNames = new Map(Object.entries(pythonNames).map(([own, python]) => [python, own]));

// What schedulers of earlier versions of PyTorch saved, and nothing reads.
const formerKeys = ['verbose'];

// Neither side sees what the other does to its own list.
const listCopied = (value: unknown): unknown => (Array.isArray(value) ? [...(value as unknown[])] : value);

function adopted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(adopted);
  return Tensor.isTensor(value) ? copyOf(value) : value;
}

/** The properties of a scheduler under PyTorch's names, but `without` and those not set yet. */
export function stateOf(scheduler: object, without: readonly string[]): SchedulerStateDict {
  const entries = Object.entries(scheduler).filter(([name, value]) => value !== undefined && !without.includes(name));
  return Object.fromEntries(
    entries.map(([name, value]) => [pythonNames[name] ?? stateDictName(name), listCopied(value)]),
  );
}

/** Sets the properties of a scheduler that a state dict names, but `without`, which are PyTorch's names. */
export function adoptState(scheduler: object, state: SchedulerStateDict, without: readonly string[] = []): void {
  const name = scheduler.constructor.name;
  if (typeof state !== 'object' || state === null) mismatch(name, `it is no state dict but ${show(state)}`);
  const entries = Object.entries(state).filter(([key]) => !without.includes(key));
  const named = entries.map(([key, value]) => [key, ownNames.get(key) ?? camelCase(key), value] as const);
  for (const [key, property] of named) {
    const isOwn = Object.hasOwn(scheduler, property) || formerKeys.includes(key);
    if (!isOwn || property === 'optimizer') mismatch(name, `a ${name} has no state '${key}'`);
  }
  for (const [, property, value] of named) Reflect.set(scheduler, property, adopted(value));
}

export function mismatch(name: string, problem: string): never {
  throw new AiforgeError(
    'STATE_DICT_MISMATCH',
    `The state dict does not fit this ${name}: ${problem}. Nothing was loaded.`,
  );
}

/** A function of the epoch or iteration; an object with a method `call` takes part in state dicts with its properties. */
export type Schedule = ((index: number) => number) | { call(index: number): number };

export function callSchedule(schedule: Schedule, index: number): number {
  const factor: unknown = typeof schedule === 'function' ? schedule(index) : schedule.call(index);
  if (typeof factor === 'number') return factor;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `A schedule's function must give a number, got ${show(factor)} for ${index}.`,
  );
}

export const isSchedule = (value: unknown): value is Schedule =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && typeof (value as { call?: unknown }).call === 'function');

/** What is saved of a function: null, or the properties of an object. */
export const scheduleState = (schedule: Schedule | null): object | null =>
  schedule === null || typeof schedule === 'function' ? null : { ...schedule };

/** Gives an object the properties that were saved of it. */
export function adoptScheduleState(schedule: Schedule | null | undefined, saved: object | null | undefined): void {
  if (saved === null || saved === undefined || schedule === null || schedule === undefined) return;
  Object.assign(schedule, saved);
}
