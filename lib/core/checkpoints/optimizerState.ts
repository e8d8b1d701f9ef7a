import type { Optimizer } from '../../optim/index.js';
import { Tensor } from '../../tensor/index.js';
import { fromJson, toJson } from './checkpointJson.js';

interface OptimizerState {
  state: Record<string, Record<string, unknown>>;
  [rest: string]: unknown;
}

/** An optimizer as a checkpoint holds it. */
export interface SavedOptimizer {
  optimizer: Record<string, Tensor>;
  /** The class's name, and the options and numbers as JSON. */
  optimizerName: string;
  optimizerOptions: string;
}

/** An optimizer's state as tensors by name, and the rest as JSON. */
export function flattenOptimizer(optimizer: Optimizer): SavedOptimizer {
  const { state, ...rest } = optimizer.stateDict() as unknown as OptimizerState;
  const tensors: Record<string, Tensor> = {};
  const numbers: Record<string, Record<string, unknown>> = {};
  for (const [index, entries] of Object.entries(state)) {
    numbers[index] = {};
    for (const [name, value] of Object.entries(entries)) {
      if (Tensor.isTensor(value)) tensors[`${index}.${name}`] = value;
      else numbers[index][name] = value;
    }
  }
  return {
    optimizer: tensors,
    optimizerName: optimizer.constructor.name,
    optimizerOptions: toJson({ ...rest, state: numbers }),
  };
}

/** Gives an optimizer the state that `flattenOptimizer` took. */
export function restoreOptimizer(optimizer: Optimizer, saved: SavedOptimizer): void {
  const state = fromJson(saved.optimizerOptions) as OptimizerState;
  for (const [key, tensor] of Object.entries(saved.optimizer)) {
    const dot = key.indexOf('.');
    const entries = (state.state[key.slice(0, dot)] ??= {});
    entries[key.slice(dot + 1)] = tensor;
  }
  optimizer.loadStateDict(state as unknown as Parameters<Optimizer['loadStateDict']>[0]);
}
