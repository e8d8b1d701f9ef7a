import { AiforgeError } from '../errors.js';
import { stateDictName } from '../nn/moduleNames.js';
import { pythonFloat } from '../nn/printing.js';
import { noGrad } from '../autograd/modes.js';
import { full } from '../tensor/generated/functions.js';
import { camelCase } from '../tensor/schema.js';
import { keep, scope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import type { ParameterState } from './bucket.js';

/** The options of a group under PyTorch's names, and the numbers of its parameters. */
export interface PackedGroup {
  params: number[];
  param_names?: string[];
  [option: string]: unknown;
}

/** What `Optimizer.stateDict` gives: the state by the number of the parameter, and the groups. */
export interface OptimizerStateDict {
  state: Record<number, Record<string, Tensor>>;
  param_groups: PackedGroup[];
}

interface Group {
  params: readonly Tensor[];
}

export function packGroup(group: Group, first: number): PackedGroup {
  const { params, ...options } = group;
  const packed = Object.entries(options).map(([name, value]) => [
    stateDictName(name),
    Array.isArray(value) ? [...(value as unknown[])] : value,
  ]);
  return { ...Object.fromEntries(packed), params: params.map((_, i) => first + i) } as PackedGroup;
}

function describeValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : pythonFloat(value);
  if (Array.isArray(value)) return `(${value.map(describeValue).join(', ')})`;
  return value === null || value === undefined ? 'None' : JSON.stringify(value);
}

/** The options of a group, a line each, as PyTorch prints them. */
export function describeGroup(group: Group): string {
  const { params: _, ...options } = packGroup(group, 0);
  const lines = Object.entries(options).map(([name, value]) => `    ${name}: ${describeValue(value)}`);
  return lines.sort().join('\n');
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
    const count = (saved[i] as PackedGroup | undefined)?.params.length;
    if (count !== params.length)
      mismatch(name, `its group ${i} has ${count ?? 'no'} parameters, the optimizer's ${params.length}`);
  });
}

const isFloating = (tensor: Tensor): boolean => /^(float|bfloat)/.test(tensor.dtype);

// The number of steps stays as it was saved, unless the fused operators need it beside the parameter.
function adopt(key: string, value: unknown, parameter: Tensor, isFused: boolean): Tensor | undefined {
  if (value === null || value === undefined) return undefined;
  const tensor = typeof value === 'number' ? full([], value, { dtype: 'float32' }) : (value as Tensor);
  if (key === 'step') {
    return isFused ? tensor.to('float32').to(parameter.device).clone() : tensor.clone();
  }
  const placed = tensor.to(parameter.device);
  return (isFloating(parameter) ? placed.to(parameter.dtype) : placed).clone();
}

function misfits(name: string, key: string, value: unknown, parameter: Tensor): void {
  if (value === null || value === undefined) return;
  if (typeof value === 'number' && key === 'step') return;
  if (!Tensor.isTensor(value)) mismatch(name, `its ${key} is no tensor`);
  if (key !== 'step' && value.shape.join() !== parameter.shape.join()) {
    mismatch(name, `its ${key} has shape [${value.shape.join(', ')}], the parameter [${parameter.shape.join(', ')}]`);
  }
}

/** A state dict as the optimizer keeps it: copies of the state, and the options of each group in camelCase. */
export function readStateDict(
  stateDict: OptimizerStateDict,
  groups: readonly Group[],
  name: string,
): { state: Map<Tensor, ParameterState>; options: Record<string, unknown>[] } {
  const saved = stateDict.param_groups;
  checkGroups(name, saved, groups);
  const options = saved.map(({ params: _, ...rest }) =>
    Object.fromEntries(Object.entries(rest).map(([key, value]) => [camelCase(key), value])),
  );
  const state = new Map<Tensor, ParameterState>();
  scope(() =>
    noGrad(() => {
      groups.forEach((group, g) => {
        group.params.forEach((parameter, i) => {
          const own = stateDict.state[saved[g]!.params[i]!];
          if (own === undefined) return;
          const entries = Object.entries(own as Record<string, unknown>);
          for (const [key, value] of entries) misfits(name, key, value, parameter);
          const adopted = entries.map(([key, value]) => [
            key,
            adopt(key, value, parameter, options[g]?.['fused'] === true),
          ]);
          const kept = adopted.filter(([, tensor]) => tensor !== undefined) as [string, Tensor][];
          state.set(parameter, Object.fromEntries(kept.map(([key, tensor]) => [key, keep(tensor)])));
        });
      });
    }),
  );
  return { state, options };
}
