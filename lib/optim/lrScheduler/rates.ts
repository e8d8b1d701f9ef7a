import { AiforgeError } from '../../errors.js';
import { rsub } from '../../tensor/generated/functions.js';
import { keep } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Optimizer } from '../optimizer.js';

/** A learning rate: a number, or a tensor of one element, whose arithmetic then rounds as its dtype does. */
export type Rate = number | Tensor;

/** What a parameter group has for a scheduler, beside the optimizer's own options. */
export interface ScheduledGroup {
  lr: Rate;
  /** The rate that schedules start from. */
  initialLr?: Rate;
  /** Bounds that OneCycleLR moves between, and CyclicLR's momenta. */
  maxLr?: Rate;
  minLr?: Rate;
  maxMomentum?: number;
  baseMomentum?: number;
  /** Where SWALR leads to. */
  swaLr?: Rate;
  momentum?: number;
  betas?: readonly number[];
}

type RateKey = 'lr' | 'initialLr' | 'maxLr' | 'minLr' | 'swaLr';

export const groupsOf = (optimizer: Optimizer): ScheduledGroup[] => optimizer.paramGroups;

const isNumber = (value: Rate): value is number => typeof value === 'number';

export function plus(a: Rate, b: Rate): Rate {
  if (isNumber(a)) return isNumber(b) ? a + b : b.add(a);
  return a.add(b);
}

export function minus(a: Rate, b: Rate): Rate {
  if (isNumber(a)) return isNumber(b) ? a - b : rsub(b, a);
  return a.sub(b);
}

export function times(a: Rate, b: Rate): Rate {
  if (isNumber(a)) return isNumber(b) ? a * b : b.mul(a);
  return a.mul(b);
}

export const over = (a: Rate, b: number): Rate => (isNumber(a) ? a / b : a.div(b));

export const toNumber = (rate: Rate): number => (isNumber(rate) ? rate : rate.item());

/** The rate itself, or a copy of its tensor that outlives the scope. */
export const copyOf = (rate: Rate): Rate => (isNumber(rate) ? rate : keep(rate.detach().clone()));

/** `key` of each group, tensors as copies. */
export function ratesOf(optimizer: Optimizer, key: RateKey): Rate[] {
  return groupsOf(optimizer).map((group, i) => copyOf(group[key] ?? missing(key, i)));
}

/** A value of a group that an earlier scheduler or a loaded state must have left there. */
export function groupValue<K extends keyof ScheduledGroup>(
  group: ScheduledGroup,
  key: K,
): NonNullable<ScheduledGroup[K]> {
  return group[key] ?? missing(key);
}

function missing(key: string, index?: number): never {
  const which = index === undefined ? 'A parameter group' : `Parameter group ${index}`;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${which} has no '${key}', which its schedule needs: load the optimizer's state, or begin with lastEpoch -1.`,
  );
}

/** Sets a group's rate; a rate that is a tensor stays the same tensor and is filled. */
export function setRate(group: ScheduledGroup, key: 'lr', value: Rate): void {
  const current = group[key];
  if (isNumber(current)) group[key] = copyOf(value);
  else if (isNumber(value)) current.fill_(value);
  else current.fill_(value.dim() === 0 ? value : value.squeeze());
}

/** One value for each group: the list that is given, or the value again and again. */
export function perGroup<T extends Rate>(name: string, optimizer: Optimizer, value: T | readonly T[]): T[] {
  const groups = optimizer.paramGroups.length;
  if (!Array.isArray(value)) return Array.from({ length: groups }, () => copyOf(value as T) as T);
  checkLength(name, value.length, groups);
  return (value as readonly T[]).map((item) => copyOf(item) as T);
}

export function checkLength(name: string, length: number, groups: number): void {
  if (length === groups) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: expected one for each of the optimizer's ${groups} parameter groups, got ${length}.`,
  );
}
