import { existsSync } from 'node:fs';

import { noGrad } from '../../autograd/index.js';
import { loadExperimentConfig } from '../../config/load.js';
import { defaultCollate } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { scope, type Tensor } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import { loadWeights } from '../checkpoints/checkpoint.js';
import { createModel, createPreprocessor, resolvePlugins } from './experiment.js';
import { runFiles } from './runDirectory.js';

export interface Prediction {
  /** The most probable class. */
  label: number;
  /** The probability of each class; they add up to 1. */
  probabilities: number[];
}

/** A trained model, ready to be asked. */
export interface LoadedRun<Item> {
  model: BaseModel;
  preprocessor: BasePreprocessor<Item> | undefined;
  /** The classes of some items. The items go through the preprocessor and the model as one batch. */
  classify(items: readonly Item[]): Prediction[];
}

/**
 * The best model of a run, with the preprocessor that it was trained with, from the run's folder.
 *
 * @throws AiforgeError FILE_NOT_FOUND when the folder has no finished epoch; FILE_INVALID for a truncated checkpoint.
 */
export function loadRun<Item = unknown>(directory: string): LoadedRun<Item> {
  const files = runFiles(directory);
  if (!existsSync(files.config)) {
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `${directory} is no run's folder: it has no config.yaml. Train first, for example with \`npx aiforge train experiments/spam.yaml\`.`,
    );
  }
  const config = loadExperimentConfig(files.config);
  const plugins = resolvePlugins(config, directory);
  const model = createModel(plugins);
  model.lossFn = model.configureLossFn(config.training.lossFnName);
  loadWeights(files.best, model);
  model.eval();
  const preprocessor = createPreprocessor(plugins) as BasePreprocessor<Item> | undefined;
  preprocessor?.load(files.preprocessor);
  return { model, preprocessor, classify: (items) => classify(model, preprocessor, items) };
}

function classify<Item>(
  model: BaseModel,
  preprocessor: BasePreprocessor<Item> | undefined,
  items: readonly Item[],
): Prediction[] {
  if (items.length === 0) return [];
  return noGrad(() =>
    scope(() => {
      const samples = items.map((item) => preprocessor?.transform(item) ?? item);
      const batch = defaultCollate(samples) as unknown as Record<string, Tensor>;
      const { predictions } = model.validationStep(batch, 0);
      if (predictions?.ndim !== 2) {
        throw new AiforgeError(
          'PLUGIN_INVALID',
          'classify: validationStep must return predictions of shape (batch, classes).',
        );
      }
      const probabilities = predictions.softmax(1).tolist<number[][]>();
      return probabilities.map((row) => ({ label: row.indexOf(Math.max(...row)), probabilities: row }));
    }),
  );
}
