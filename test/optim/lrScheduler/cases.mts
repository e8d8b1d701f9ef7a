import { createHash } from 'node:crypto';

import { Tensor, tensor, zeros, type DType } from 'aiforge';
import * as optim from 'aiforge/optim';

import { camelCase, camelKeys } from '../../nn/reference.mjs';

// The cases of test/reference/lr_scheduler.py, built here as `build_optimizer` and `build` do there.

export type Spec = [name: string, args: unknown[], options: Record<string, unknown>];

export interface OptimizerSpec {
  name: 'SGD' | 'Adam';
  options: Record<string, unknown>;
  groups: Record<string, unknown>[];
  tensor?: DType;
}

export interface Case {
  optimizer: OptimizerSpec;
  scheduler: Spec;
  calls: (number | null)[] | null;
  digest: string;
  samples: number[][];
  sums: number[][];
  half: Record<string, unknown>;
  half_optimizer: Record<string, unknown>[];
}

interface Group {
  lr: number | Tensor;
  momentum?: number;
  betas?: number[];
}

export const STEPS = 200;

class Decay {
  calls = 0;
  call(epoch: number): number {
    this.calls += 1;
    return 1 / (1 + epoch / 8 + this.calls / 64);
  }
}

const functions: Record<string, () => optim.lrScheduler.Schedule> = {
  hyperbola: () => (epoch) => 1 / (epoch + 1),
  saw: () => (epoch) => ((epoch % 7) + 1) / 6,
  near: () => (epoch) => 1 - (epoch % 5) / 97,
  object: () => new Decay(),
};

export function buildOptimizer({ name, options, groups, tensor: dtype }: OptimizerSpec): optim.Optimizer {
  const given = groups.map((group) => ({ ...camelKeys(group), params: [zeros([2])] }));
  const optimizer = new optim[name](given, camelKeys(options));
  if (dtype !== undefined) {
    for (const group of optimizer.paramGroups as Group[]) group.lr = tensor(group.lr, { dtype });
  }
  return optimizer;
}

type Scheduler = optim.lrScheduler.LRScheduler;
type SchedulerClass = new (...args: unknown[]) => Scheduler;

// `T_mult` is `tMult` here.
const optionName = (name: string): string => camelCase(name.replace(/^T_/, 't_'));

export function build([name, args, options]: Spec, optimizer: optim.Optimizer): Scheduler {
  const value = (given: unknown): unknown => {
    if (given === '&') return optimizer;
    if (typeof given === 'string' && given.startsWith('@')) return functions[given.slice(1)]!();
    if (Array.isArray(given)) return given.map(value);
    if (typeof given === 'object' && given !== null) {
      return (given as { schedulers: Spec[] }).schedulers.map((spec) => build(spec, optimizer));
    }
    return given;
  };
  const positional = args.map(value);
  const named = Object.fromEntries(Object.entries(options).map(([key, given]) => [optionName(key), value(given)]));
  const module = name === 'SWALR' ? optim.swaUtils : optim.lrScheduler;
  const Class = (module as unknown as Record<string, SchedulerClass>)[name]!;
  if (name === 'SequentialLR' || name === 'ChainedScheduler') return new Class(...positional, named);
  return new Class(optimizer, ...positional, named);
}

export function rates(optimizer: optim.Optimizer): number[] {
  return (optimizer.paramGroups as Group[]).flatMap(({ lr, momentum, betas }) => [
    typeof lr === 'number' ? lr : lr.item(),
    ...(momentum === undefined ? [] : [momentum]),
    ...(betas === undefined ? [] : [betas[0]!]),
  ]);
}

/** What JSON can hold, as `plain` of the script gives it. */
export function plain(value: unknown): unknown {
  if (Tensor.isTensor(value)) return { tensor: value.item() };
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { float: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries: [unknown, unknown][] =
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}

/** The reverse. */
export function special(value: unknown, dtype?: DType): unknown {
  if (Array.isArray(value)) return value.map((item) => special(item, dtype));
  if (typeof value !== 'object' || value === null) return value;
  const { float, tensor: element } = value as { float?: string; tensor?: number };
  if (float !== undefined) return float === 'nan' ? NaN : float === 'inf' ? Infinity : -Infinity;
  if (element !== undefined) return tensor(element, { dtype });
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, special(item, dtype)]));
}

export function step(scheduler: Scheduler, call: number | null): void {
  if (call === null) scheduler.step();
  else scheduler.step(call);
}

export function digest(rows: number[][]): string {
  return createHash('sha256').update(Float64Array.from(rows.flat())).digest('hex');
}

export const title = ({ optimizer, scheduler, calls }: Case): string => {
  const kind = calls?.some((call) => call !== null) === true ? `, step(${calls.slice(1, 4).join(', ')}, …)` : '';
  return `${JSON.stringify(scheduler)} of ${optimizer.tensor ?? ''} ${optimizer.name}${kind}`;
};
