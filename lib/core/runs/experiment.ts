import path from 'node:path';

import { z } from 'zod';

import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { ModelConfig } from '../../config/modelConfigs.js';
import { modelSettings } from '../../config/modelSettings.js';
import { isAddress, isPath } from '../../config/paths.js';
import { settingProblem, withSourceOf } from '../../config/source.js';
import { validate } from '../../config/validate.js';
import type { Dataset } from '../../data/dataset.js';
import { drawsOf } from '../../data/loading/draws.js';
import { AiforgeError } from '../../errors.js';
import { size, string } from '../../kinds.js';
import { show } from '../../show.js';
import type { BaseDataset, Splits } from '../baseDataset.js';
import { BaseModel } from '../baseModel.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import { ownCopy } from '../copies.js';
import { awaited, called } from '../plugins/calls.js';
import { create, type LoadedPlugin } from '../plugins/plugin.js';
import { loadPlugin } from '../plugins/plugins.js';
import type { Ranks } from '../ranks.js';
import { augmented, Items, itemsOf, transformed } from './samples.js';
import { saving } from './saving.js';
import { splitDataset } from './splits.js';
import { loadItems, type SampleSource } from './workerSamples.js';

/** The plugins of an experiment, found and checked, with the model's configuration. */
export interface ExperimentPlugins {
  model: LoadedPlugin;
  dataset: LoadedPlugin;
  modelConfig: Record<string, unknown>;
}

/** What loading data happens in. */
export interface DataContext {
  ranks: Ranks;
  dataDir: string;
  signal: AbortSignal;
}

/** The data of an experiment: samples by index, as the preprocessor makes them. */
export interface ExperimentData {
  samples: Dataset;
  /** Those to train on, which the preprocessor may change at random. */
  trainSamples: Dataset;
  source: SampleSource;
  splits: Splits;
  preprocessor: BasePreprocessor | undefined;
  classNames: readonly string[] | undefined;
}

/** Finds the plugins and checks the model's configuration; nothing is run yet. */
export function resolvePlugins(config: ExperimentConfig, from: string): ExperimentPlugins {
  const model = findPlugin(config, 'model', from);
  const dataset = findPlugin(config, 'dataset', from);
  return { model, dataset, modelConfig: modelConfigOf(model, config) };
}

/** The settings of the model as its plugin's schema gives them back, defaults filled in. */
export function modelConfigOf(model: LoadedPlugin, config: ExperimentConfig): Record<string, unknown> {
  const schema = model.Config ?? z.looseObject(ModelConfig.shape);
  const settings = modelSettings(config.model, schema);
  return validate(schema, settings, { source: `the configuration of '${model.name}'`, under: ['model'] });
}

/** One that is not found is the setting's problem, which has a line in the file. */
function findPlugin(config: ExperimentConfig, kind: 'model' | 'dataset', from: string): LoadedPlugin {
  const setting = `${kind}Plugin` as const;
  try {
    return loadPlugin(config[setting], { from, kind });
  } catch (error) {
    if (!(error instanceof AiforgeError) || error.code !== 'PLUGIN_NOT_FOUND') throw error;
    throw settingProblem([setting], error.message, error, 'PLUGIN_NOT_FOUND');
  }
}

/**
 * The experiment as the run's folder records it: with the model's defaults filled in, and with paths relative to the folder, so
 * that its `config.yaml` finds what they name wherever the two are moved together.
 */
export function resolvedConfig(
  config: ExperimentConfig,
  plugins: ExperimentPlugins,
  runDirectory: string,
): ExperimentConfig {
  const pluginOf = (given: string, { directory }: LoadedPlugin, kind: 'model' | 'dataset') =>
    directory === undefined || (!isPath(given) && findsAgain(given, kind, directory, runDirectory))
      ? given
      : recordedPath(directory, runDirectory);
  return {
    ...config,
    modelPlugin: pluginOf(config.modelPlugin, plugins.model, 'model'),
    datasetPlugin: pluginOf(config.datasetPlugin, plugins.dataset, 'dataset'),
    dataPath: isPath(config.dataPath) ? recordedPath(config.dataPath, runDirectory) : config.dataPath,
    model: plugins.modelConfig,
    training: { ...config.training, resumeFrom: null },
  };
}

/** Relative to the run's folder, unless the two have nothing but the root in common. */
function recordedPath(target: string, runDirectory: string): string {
  const [, top] = path.resolve(target).split(path.sep);
  const isNear = top !== '' && top === path.resolve(runDirectory).split(path.sep)[1];
  return isNear ? `./${path.relative(runDirectory, target)}` : target;
}

/** Whether a plugin's name leads to the same folder from the run's. */
function findsAgain(name: string, kind: 'model' | 'dataset', directory: string, runDirectory: string): boolean {
  try {
    return loadPlugin(name, { from: runDirectory, kind }).directory === directory;
  } catch {
    return false;
  }
}

export function createModel({ model, modelConfig }: ExperimentPlugins): BaseModel {
  const made = create<BaseModel>(model, 'Model', ownCopy(modelConfig));
  if (!(made instanceof BaseModel)) {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `The plugin '${model.name}': class Model must extend BaseModel of 'aiforge'.`,
    );
  }
  return made;
}

/** Gives a model the loss that it makes for this name. */
export function configureLoss(model: BaseModel, name: string): void {
  const loss: unknown = called('configureLossFn', () => model.configureLossFn(name));
  if (typeof (loss as { forward?: unknown } | null | undefined)?.forward !== 'function') {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `configureLossFn must return a loss: a module with forward(predictions, targets), such as new nn.MSELoss(); got ${show(loss)}.`,
    );
  }
  model.lossFn = loss as BaseModel['lossFn'];
}

export function createPreprocessor({ dataset }: ExperimentPlugins): BasePreprocessor | undefined {
  return dataset.Preprocessor && create(dataset, 'Preprocessor');
}

/**
 * Loads and divides the data, and makes the preprocessor ready: on rank 0 it is fitted to the training split, unless
 * `preprocessorFile` is that of a run that goes on; the other ranks get it by `sharePreprocessor`.
 */
export async function prepareData(
  config: ExperimentConfig,
  plugins: ExperimentPlugins,
  context: DataContext,
  preprocessorFile: string | undefined,
): Promise<ExperimentData> {
  const source = sourceOf(config, plugins, context);
  const { ranks, signal } = context;
  const dataset = await loadItems(plugins.dataset, source.dataPath, {
    rank: ranks.rank,
    worldSize: ranks.worldSize,
    barrier: () => ranks.barrier(),
    signal,
    args: withSourceOf(config.datasetArgs, ownCopy(config.datasetArgs)),
  });
  checkDataset(dataset);
  const splits = splitDataset(dataset, config.training);
  const preprocessor = createPreprocessor(plugins);
  const { classNames } = dataset;
  const items = itemsOf(dataset);
  if (preprocessor === undefined)
    return { samples: items, trainSamples: items, source, splits, preprocessor, classNames };
  if (preprocessorFile !== undefined) called('Preprocessor.load', () => preprocessor.load(preprocessorFile));
  else if (context.ranks.rank === 0) {
    const training = new Items(items, splits.train);
    await awaited('Preprocessor.fit', () =>
      preprocessor.fit(training, withSourceOf(config.preprocessArgs, ownCopy(config.preprocessArgs))),
    );
  }
  const samples = transformed(items, preprocessor);
  return { samples, trainSamples: augmented(samples, preprocessor), source, splits, preprocessor, classNames };
}

function sourceOf(
  config: ExperimentConfig,
  { dataset }: ExperimentPlugins,
  { ranks, dataDir }: DataContext,
): SampleSource {
  const { numWorkers } = config.training;
  if (numWorkers > 0 && dataset.directory === undefined) {
    throw settingProblem(
      ['training', 'numWorkers'],
      `training.numWorkers is ${numWorkers}, and '${dataset.name}' was registered in code, which workers cannot load: put its Dataset into dataset.ts of a plugin's folder, or leave numWorkers at 0.`,
    );
  }
  return {
    plugin: dataset.directory,
    dataPath: dataPathIn(dataDir, config.dataPath),
    // The plugin's own copies, to sort or to fill in: the run goes by its own.
    args: ownCopy(config.datasetArgs),
    rank: ranks.rank,
    worldSize: ranks.worldSize,
    drawn: drawsOf(undefined),
  };
}

/** Writes rank 0's fitted preprocessor into the run's folder, from where the other ranks take it. */
export async function sharePreprocessor({ preprocessor }: ExperimentData, ranks: Ranks, file: string): Promise<void> {
  if (preprocessor === undefined) return;
  if (ranks.rank === 0) saving(file, () => called('Preprocessor.save', () => preprocessor.save(file)));
  await ranks.barrier();
  if (ranks.rank !== 0) called('Preprocessor.load', () => preprocessor.load(file));
}

/** A plain name lies in the data folder; paths, and addresses such as `npm:x`, are taken as they are. */
function dataPathIn(dataDir: string, dataPath: string): string {
  return isPath(dataPath) || isAddress(dataPath) ? dataPath : path.join(dataDir, dataPath);
}

function checkDataset(dataset: BaseDataset): void {
  const length: unknown = called('Dataset.length', () => dataset.length);
  const classNames: unknown = called('Dataset.classNames', () => dataset.classNames);
  const refuse = (problem: string) => new AiforgeError('PLUGIN_INVALID', `The Dataset's ${problem}.`);
  if (!size.accepts(length)) throw refuse(`length is ${show(length)}; expected ${size.expected}`);
  if (classNames === undefined || (Array.isArray(classNames) && classNames.every((name) => string.accepts(name))))
    return;
  throw refuse(`classNames are ${show(classNames)}; expected an array of strings, one a class`);
}
