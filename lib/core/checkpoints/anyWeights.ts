import type { Module } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import { safetensorsMetadata } from '../../tensor/files/safetensors.js';
import { epochOf, loadCheckpoint, readWeights } from './checkpoint.js';
import { restoreModel } from './modelState.js';

/** What a file says of the weights that were read from it. */
export interface WeightsInfo {
  /** The epoch that they are of, from 1; null where the file does not say. */
  epoch: number | null;
  /** The checksum of the preprocessor's file that they go with; null where there is none. */
  preprocessor: string | null;
}

/** As `loadWeights`, of a checkpoint too: its model's part is taken, which is not the averages of the weights. */
export function readAnyWeights(file: string, model: Module): WeightsInfo {
  const { format, epoch } = safetensorsMetadata(file);
  if (format?.startsWith('aiforge-checkpoint') !== true) {
    return { epoch: epoch === undefined ? null : Number(epoch), preprocessor: readWeights(file, model) };
  }
  return scope(() => {
    const checkpoint = loadCheckpoint(file);
    restoreModel(model, checkpoint);
    const { state, preprocessor } = checkpoint;
    return { epoch: epochOf(state), preprocessor };
  });
}
