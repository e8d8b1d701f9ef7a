import type { Module } from '../../nn/index.js';
import type { Optimizer } from '../../optim/index.js';
import { Tensor } from '../../tensor/index.js';
import { fromJson, toJson } from './checkpointJson.js';

interface OptimizerState {
  state: Record<string, Record<string, unknown>>;
  /** The names of each group's parameters; null for one that is not the model's. */
  names?: (string | null)[][];
  [rest: string]: unknown;
}

/** An optimizer as a checkpoint holds it. */
export interface SavedOptimizer {
  tensors: Record<string, Tensor>;
  className: string;
  /** Options and numbers as JSON. */
  options: string;
}

/** As LBFGS has them: of its history; empty before it has any. */
const isTensorList = (value: unknown): value is Tensor[] => Array.isArray(value) && value.every(Tensor.isTensor);

const isListMark = (value: unknown): boolean => typeof value === 'object' && value !== null && '$list' in value;

function listIn(entries: Record<string, unknown>, name: string): Tensor[] {
  if (!Array.isArray(entries[name])) entries[name] = [];
  return entries[name] as Tensor[];
}

/** An optimizer's state as tensors by name, and the rest as JSON, with the names of the model's parameters. */
export function flattenOptimizer(optimizer: Optimizer, model: Module): SavedOptimizer {
  const nameOf = new Map<Tensor, string>([...model.namedParameters()].map(([name, parameter]) => [parameter, name]));
  const names = optimizer.paramGroups.map(({ params }) => params.map((parameter) => nameOf.get(parameter) ?? null));
  const { state, ...rest } = optimizer.stateDict() as unknown as OptimizerState;
  const tensors: Record<string, Tensor> = {};
  const numbers: Record<string, Record<string, unknown>> = {};
  for (const [index, entries] of Object.entries(state)) {
    numbers[index] = {};
    for (const [name, value] of Object.entries(entries)) {
      if (Tensor.isTensor(value)) {
        tensors[`${index}.${name}`] = value;
      } else if (isTensorList(value)) {
        numbers[index][name] = { $list: value.length };
        value.forEach((item, i) => (tensors[`${index}.${name}.${i}`] = item));
      } else {
        numbers[index][name] = value;
      }
    }
  }
  return {
    tensors,
    className: optimizer.constructor.name,
    options: toJson({ ...rest, state: numbers, names }),
  };
}

/** Gives an optimizer the state that `flattenOptimizer` took, and the groups that it was given while the run went on. */
export function restoreOptimizer(optimizer: Optimizer, saved: SavedOptimizer, model: Module): void {
  const { names = [], ...state } = fromJson(saved.options) as OptimizerState;
  const parameters = new Map(model.namedParameters());
  for (const group of names.slice(optimizer.paramGroups.length)) {
    const params = group.flatMap((name) => parameters.get(name ?? '') ?? []);
    if (params.length === group.length) optimizer.addParamGroup({ params });
  }
  for (const entries of Object.values(state.state)) {
    for (const [name, value] of Object.entries(entries)) if (isListMark(value)) entries[name] = [];
  }
  for (const [key, tensor] of Object.entries(saved.tensors)) {
    const dot = key.indexOf('.');
    const entries = (state.state[key.slice(0, dot)] ??= {});
    const [, name = '', item] = /^(.*?)(?:\.(\d+))?$/.exec(key.slice(dot + 1))!;
    if (item === undefined) entries[name] = tensor;
    else listIn(entries, name)[Number(item)] = tensor;
  }
  optimizer.loadStateDict(state as unknown as Parameters<Optimizer['loadStateDict']>[0]);
  // A schedule that was made for the rest of the run has marked the groups that came after it was made first.
  (state.param_groups as object[]).forEach((group, i) => {
    if (!('initial_lr' in group)) delete optimizer.paramGroups[i]!.initialLr;
  });
}
