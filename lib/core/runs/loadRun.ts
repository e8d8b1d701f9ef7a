import { existsSync } from 'node:fs';

import { noGrad } from '../../autograd/index.js';
import { loadExperimentConfig } from '../../config/load.js';
import { placed } from '../../config/source.js';
import { defaultCollate } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { scope, Tensor, type Device } from '../../tensor/index.js';
import { deviceKind } from '../../tensor/dtypeKinds.js';
import type { BaseModel } from '../baseModel.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import { readWeights } from '../checkpoints/checkpoint.js';
import { checkFile } from '../checkpoints/checksum.js';
import { called } from '../plugins/calls.js';
import { Placement } from '../training/placement.js';
import { configureLoss, createModel, createPreprocessor, resolvePlugins } from './experiment.js';
import { runFiles } from './runDirectory.js';
import { string } from '../../kinds.js';
import { signature } from '../../signature.js';

export interface Prediction {
  /** The most probable class. */
  label: number;
  /** The probability of each class; they add up to 1. */
  probabilities: number[];
}

/** A trained model, ready to be asked; `Output` is what its `predictStep` gives. */
export interface LoadedRun<Item, Output = Tensor> {
  model: BaseModel;
  preprocessor: BasePreprocessor<Item> | undefined;
  /**
   * The model's answer for some items, which need no labels: they go through the preprocessor and, as one batch in evaluation
   * mode without gradients, through the model's `predictStep`. Of most models it is a tensor whose first dimension are the items;
   * tensors are the caller's, to keep or to dispose. Throws INVALID_ARGUMENT without items, and PLUGIN_INVALID for what the
   * preprocessor cannot transform.
   */
  predict(items: readonly Item[]): Output;
  /** The classes of some items, for a model whose `predictStep` gives logits, (batch, classes). */
  classify(items: readonly Item[]): Prediction[];
}

export interface LoadRunOptions {
  /** Where the model answers. Default: `'cpu'`. */
  device?: Device;
}

const loadTakes = signature<LoadRunOptions>({ directory: string }, { device: deviceKind });

/**
 * The best model of a run, with the preprocessor that it was trained with, from the run's folder.
 *
 * @throws AiforgeError FILE_NOT_FOUND when the folder has no finished epoch; FILE_INVALID for a truncated checkpoint.
 */
export function loadRun<Item = unknown, Output = Tensor>(
  directory: string,
  options: LoadRunOptions = {},
): LoadedRun<Item, Output> {
  loadTakes.check('loadRun', arguments);
  const files = runFiles(directory);
  if (!existsSync(files.config)) {
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `${directory} is no run's folder: it has no config.yaml. Train first, for example with \`npx aiforge train experiments/spam.yaml\`.`,
    );
  }
  const config = loadExperimentConfig(files.config);
  const plugins = placed(config, () => resolvePlugins(config, directory));
  const model = createModel(plugins);
  configureLoss(model, config.training.lossFnName);
  const { device = 'cpu' } = options;
  model.to(device);
  const placement = new Placement(model, device, false);
  const fittedWith = readWeights(files.best, model);
  const preprocessor = createPreprocessor(plugins) as BasePreprocessor<Item> | undefined;
  if (preprocessor !== undefined) {
    checkFile(files.preprocessor, fittedWith);
    preprocessor.load(files.preprocessor);
  }
  model.eval();
  const predict = (items: readonly Item[]) =>
    noGrad(() => scope(() => answerOf(model, placement, samplesOf(items, preprocessor))));
  return {
    model,
    preprocessor,
    predict: (items) => predict(items) as Output,
    classify: (items) => (items.length === 0 ? [] : scope(() => classesOf(predict(items)))),
  };
}

function answerOf(model: BaseModel, placement: Placement, samples: readonly unknown[]): unknown {
  if (model.training) model.eval();
  return model.predictStep(placement.move(defaultCollate(samples)) as Record<string, Tensor>, 0);
}

function samplesOf<Item>(items: readonly Item[], preprocessor: BasePreprocessor<Item> | undefined): readonly unknown[] {
  if (items.length === 0) throw new AiforgeError('INVALID_ARGUMENT', 'predict got no items; give it one or more.');
  if (preprocessor === undefined) return items;
  return items.map((item, index) => {
    try {
      return called('Preprocessor.transform', () => preprocessor.transform(item));
    } catch (cause) {
      throw new AiforgeError(
        'PLUGIN_INVALID',
        `The preprocessor cannot transform item ${index}: ${(cause as Error).message.replace(/\.?$/, '.')} Where the item has no label, let transform leave the label out of the sample.`,
        { cause },
      );
    }
  });
}

function classesOf(logits: unknown): Prediction[] {
  if (!Tensor.isTensor(logits) || logits.ndim !== 2) {
    const given = Tensor.isTensor(logits) ? `a tensor of shape [${logits.shape.join(', ')}]` : typeof logits;
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `classify: predictStep must return logits of shape (batch, classes), got ${given}; use predict for other models.`,
    );
  }
  const probabilities = logits.softmax(1).tolist<number[][]>();
  return probabilities.map((row) => ({ label: row.indexOf(Math.max(...row)), probabilities: row }));
}
