import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { stateDictName } from '../nn/members/moduleNames.js';
import { pythonFloat } from '../nn/printing/printing.js';
import { noGrad } from '../autograd/modes.js';
import { full } from '../tensor/generated/functions.js';
import { camelCase } from '../tensor/calls/schema.js';
import { keep, scope } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import type { ParameterState, StateValue } from './bucket.js';
import { objectKind } from '../kinds.js';

/** The options of a group under PyTorch's names, and the numbers of its parameters. */
export interface PackedGroup {
  params: number[];
  param_names?: string[];
  [option: string]: unknown;
}

/** What `Optimizer.stateDict` gives: the state by the number of the parameter, and the groups. */
export interface OptimizerStateDict {
  state: Record<number, ParameterState>;
  param_groups: PackedGroup[];
}

interface Group {
  params: readonly Tensor[];
}

function packGroup(group: Group, first: number): PackedGroup {
  const { params, ...options } = group;
  const packed = Object.entries(options).map(([name, value]) => [
    stateDictName(name),
    Array.isArray(value) ? [...(value as unknown[])] : value,
  ]);
  return { ...Object.fromEntries(packed), params: params.map((_, i) => first + i) } as PackedGroup;
}

/** The state by the number of the parameter among those of all groups, and the groups. */
export function makeStateDict(
  groups: readonly Group[],
  states: ReadonlyMap<Tensor, ParameterState>,
): OptimizerStateDict {
  const state: OptimizerStateDict['state'] = {};
  let first = 0;
  const packed = groups.map((group) => {
    group.params.forEach((parameter, i) => {
      const own = Object.entries(states.get(parameter) ?? {});
      if (own.length > 0) state[first + i] = Object.fromEntries(own.map(([name, value]) => [name, detached(value)]));
    });
    const made = packGroup(group, first);
    first += group.params.length;
    return made;
  });
  return { state, param_groups: packed };
}

function describeValue(value: unknown, isFloat = false): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return Number.isInteger(value) && !isFloat ? String(value) : pythonFloat(value);
  if (Tensor.isTensor(value)) return pythonFloat(value.item());
  if (Array.isArray(value)) return describeList(value, isFloat);
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? 'None' : inspect(value);
}

// Numbers come as a tuple, names as a list.
function describeList(values: unknown[], isFloat: boolean): string {
  if (typeof values[0] === 'string') return `[${values.map((name) => `'${String(name)}'`).join(', ')}]`;
  const texts = values.map((value) => (Tensor.isTensor(value) ? String(value) : describeValue(value, isFloat)));
  return `(${texts.join(', ')})`;
}

/** The options of a group, a line each, as PyTorch prints them. */
export function describeGroup(group: Group, floats: readonly string[]): string {
  const { params: _, ...options } = group;
  const lines = Object.entries(options).map(
    ([name, value]) => `    ${stateDictName(name)}: ${describeValue(value, floats.includes(name))}`,
  );
  return lines.sort().join('\n');
}

/** A value of the state as it is, or detached where it has a graph. */
function detached(value: StateValue): StateValue {
  if (Tensor.isTensor(value)) return value.requiresGrad ? value.detach() : value;
  return Array.isArray(value) ? value.map(detached) : value;
}

function mismatch(name: string, problem: string): never {
  throw new AiforgeError(
    'STATE_DICT_MISMATCH',
    `The state dict does not fit this ${name}: ${problem}. Nothing was loaded.`,
  );
}

function checkGroups(name: string, saved: readonly PackedGroup[], groups: readonly Group[]): void {
  if (!Array.isArray(saved)) mismatch(name, 'it has no list param_groups');
  if (saved.length !== groups.length)
    mismatch(name, `it has ${saved.length} parameter groups, the optimizer ${groups.length}`);
  groups.forEach(({ params }, i) => {
    const own = (saved[i] as Partial<PackedGroup> | null | undefined)?.params;
    const count = Array.isArray(own) ? own.length : 'no';
    if (count !== params.length)
      mismatch(name, `its group ${i} has ${count} parameters, the optimizer's ${params.length}`);
  });
}

const isFloating = (tensor: Tensor): boolean => /^(float|bfloat)/.test(tensor.dtype);

/** What loading has to know of an optimizer. */
export interface OptimizerKind {
  name: string;
  counters: readonly string[];
  hasStateLikeParameters: boolean;
}

// The number of steps stays as it was saved, unless fused operators or graphs need it beside the parameter.
function adopt(key: string | null, value: StateValue, parameter: Tensor, isBeside: boolean): StateValue {
  if (Array.isArray(value)) return value.map((item) => adopt(null, item, parameter, isBeside));
  if (!Tensor.isTensor(value)) return value;
  if (key === 'step') {
    return keep(isBeside ? value.to('float32').to(parameter.device).clone() : value.clone());
  }
  const placed = value.to(parameter.device);
  return keep((isFloating(parameter) ? placed.to(parameter.dtype) : placed).clone());
}

// Of old state dicts, whose counters are no tensors; the number of steps is where `adopt` leaves it.
function counterOf(key: string, value: number, parameter: Tensor, isBeside: boolean): Tensor {
  const device = key === 'step' && !isBeside ? 'cpu' : parameter.device;
  return keep(full([], value, { dtype: 'float32', device }));
}

function misfits(kind: OptimizerKind, key: string, value: unknown, parameter: Tensor): void {
  if (!kind.hasStateLikeParameters || kind.counters.includes(key) || value === null || value === undefined) return;
  if (typeof value === 'number') return;
  if (!Tensor.isTensor(value)) mismatch(kind.name, `its ${key} is no tensor`);
  if (value.shape.join() !== parameter.shape.join()) {
    mismatch(
      kind.name,
      `its ${key} has shape [${value.shape.join(', ')}], the parameter [${parameter.shape.join(', ')}]`,
    );
  }
}

function readState(own: ParameterState, parameter: Tensor, kind: OptimizerKind, isBeside: boolean): ParameterState {
  const entries = Object.entries(own).filter(([, value]) => value !== undefined);
  for (const [key, value] of entries) misfits(kind, key, value, parameter);
  const adopted = entries.map(([key, value]) => {
    const isPlainCounter = typeof value === 'number' && kind.counters.includes(key);
    return [key, isPlainCounter ? counterOf(key, value, parameter, isBeside) : adopt(key, value, parameter, isBeside)];
  });
  return Object.fromEntries(adopted) as ParameterState;
}

/** A state dict as the optimizer keeps it: copies of the state, and the options of each group in camelCase. */
export function readStateDict(
  stateDict: OptimizerStateDict,
  groups: readonly Group[],
  kind: OptimizerKind,
): { state: Map<Tensor, ParameterState>; options: Record<string, unknown>[] } {
  const saved = stateDict.param_groups;
  checkGroups(kind.name, saved, groups);
  if (!objectKind.accepts(stateDict.state)) mismatch(kind.name, 'it has no object state');
  const options = saved.map(({ params: _, ...rest }) =>
    Object.fromEntries(Object.entries(rest).map(([key, value]) => [camelCase(key), copied(value)])),
  );
  const state = new Map<Tensor, ParameterState>();
  scope(() =>
    noGrad(() => {
      groups.forEach((group, g) => {
        const { fused, capturable } = options[g]!;
        group.params.forEach((parameter, i) => {
          const own = stateDict.state[saved[g]!.params[i]!];
          if (own === undefined) return;
          state.set(parameter, readState(own, parameter, kind, fused === true || capturable === true));
        });
      });
    }),
  );
  return { state, options };
}

function copied(value: unknown): unknown {
  if (Tensor.isTensor(value)) return keep(value.detach().clone());
  return Array.isArray(value) ? value.map(copied) : value;
}
