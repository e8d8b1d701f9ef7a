import { noGrad } from '../../autograd/index.js';
import { defaultCollate } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { string } from '../../kinds.js';
import { signature } from '../../signature.js';
import { scope, Tensor, type Device } from '../../tensor/index.js';
import { deviceKind } from '../../tensor/dtypeKinds.js';
import type { BaseModel } from '../baseModel.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import { called } from '../plugins/calls.js';
import { predicting } from '../training/measuring/logbook.js';
import { Placement } from '../training/placement.js';
import { createPreprocessor, type ExperimentPlugins } from './experiment.js';
import { openRun } from './openRun.js';
import type { RunFiles } from './runDirectory.js';

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
  /**
   * A file of weights, or a checkpoint: in the run's folder, such as `'checkpoints/epoch-00003.safetensors'`, or else from the
   * working directory. Of a checkpoint the weights themselves are taken, not their averages. Default: `'best.safetensors'`.
   */
  weights?: string;
}

const loadTakes = signature<LoadRunOptions>({ directory: string }, { device: deviceKind, weights: string });

/**
 * The best model of a run, or one of its others, with the preprocessor that it was trained with, from the run's folder.
 *
 * @throws AiforgeError FILE_NOT_FOUND when the folder has no finished epoch, or no such weights; FILE_INVALID for a truncated
 * checkpoint, and for weights that were trained with another preprocessor.
 */
export function loadRun<Item = unknown, Output = Tensor>(
  directory: string,
  options: LoadRunOptions = {},
): LoadedRun<Item, Output> {
  loadTakes.check('loadRun', arguments);
  const { device = 'cpu', weights } = options;
  const { model, files, plugins } = openRun(directory, { weights, device });
  const placement = new Placement(model, device, false);
  const preprocessor = fittedPreprocessor<Item>(plugins, files);
  const predict = (items: readonly Item[]) =>
    noGrad(() => scope(() => answerOf(model, placement, samplesOf(items, preprocessor), 0)));
  return {
    model,
    preprocessor,
    predict: (items) => predict(items) as Output,
    classify: (items) => (items.length === 0 ? [] : scope(() => classesOf(predict(items)))),
  };
}

/** The preprocessor of a run as it was fitted; undefined where it has none. */
export function fittedPreprocessor<Item>(
  plugins: ExperimentPlugins,
  files: RunFiles,
): BasePreprocessor<Item> | undefined {
  const preprocessor = createPreprocessor(plugins) as BasePreprocessor<Item> | undefined;
  if (preprocessor !== undefined) called('Preprocessor.load', () => preprocessor.load(files.preprocessor));
  return preprocessor;
}

/** What the model's `predictStep` gives for some samples as a batch; to be called without gradients. */
export function answerOf(
  model: BaseModel,
  placement: Placement,
  samples: readonly unknown[],
  batchIdx: number,
): unknown {
  if (model.training) model.eval();
  const batch = placement.move(defaultCollate(samples)) as Record<string, Tensor>;
  return predicting(model, () => called('predictStep', () => model.predictStep(batch, batchIdx)));
}

function samplesOf<Item>(items: readonly Item[], preprocessor: BasePreprocessor<Item> | undefined): readonly unknown[] {
  if (items.length === 0) throw new AiforgeError('INVALID_ARGUMENT', 'predict got no items; give it one or more.');
  return preprocessor === undefined ? items : items.map((item, index) => sampleOf(item, `item ${index}`, preprocessor));
}

/** The sample for an item; `name` is how an error calls it. */
export function sampleOf<Item>(item: Item, name: string, preprocessor: BasePreprocessor<Item>): unknown {
  try {
    return called('Preprocessor.transform', () => preprocessor.transform(item));
  } catch (cause) {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `The preprocessor cannot transform ${name}: ${(cause as Error).message.replace(/\.?$/, '.')} Where the item has no label, let transform leave the label out of the sample.`,
      { cause },
    );
  }
}

/** The class of each row of logits. Throws PLUGIN_INVALID for what are none. */
export function classesOf(logits: unknown): Prediction[] {
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
