import { isDeepStrictEqual } from 'node:util';

import { AiforgeError } from '../../errors.js';
import type { Module } from '../../nn/index.js';
import { show } from '../../show.js';
import { Tensor } from '../../tensor/index.js';
import { called } from '../plugins/calls.js';
import { fromJson, toJson } from './checkpointJson.js';

/** A model's state as a file holds it: tensors, and as JSON what a `getExtraState` gave that is none. */
export interface SavedModel {
  model: Record<string, Tensor>;
  /** Undefined where there is nothing of the kind. */
  extraState?: string;
}

/** Throws PLUGIN_INVALID for what a `getExtraState` gave that a file cannot give back. */
export function saveModel(model: Module): SavedModel {
  const tensors: Record<string, Tensor> = {};
  const extra: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(called('getExtraState', () => model.stateDict())) as [string, unknown][]) {
    if (Tensor.isTensor(value)) tensors[key] = value;
    else extra[key] = checked(key, value);
  }
  return Object.keys(extra).length === 0 ? { model: tensors } : { model: tensors, extraState: toJson(extra) };
}

function checked(key: string, value: unknown): unknown {
  try {
    if (isDeepStrictEqual(fromJson(toJson(value)), value)) return value;
  } catch {
    // Told below.
  }
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `getExtraState of the model gave ${show(value)} as '${key}', which a checkpoint cannot hold: give a Tensor, or plain data that JSON keeps.`,
  );
}

/** Gives a model what `saveModel` took. What its own code throws passes as it is. Throws FILE_INVALID or STATE_DICT_MISMATCH. */
export function restoreModel(model: Module, { model: tensors, extraState }: SavedModel): void {
  const extra = extraState === undefined ? {} : extraOf(extraState);
  called('setExtraState', () => model.loadStateDict({ ...tensors, ...extra }));
}

function extraOf(extraState: string): Record<string, Tensor> {
  try {
    return fromJson(extraState) as Record<string, Tensor>;
  } catch (cause) {
    const problem = `The extra state in the file is not what a run writes: ${(cause as Error).message}. Use another one.`;
    throw new AiforgeError('FILE_INVALID', problem, { cause });
  }
}
