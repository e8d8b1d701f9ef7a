import path from 'node:path';

import { z } from 'zod';

import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { ModelConfig } from '../../config/modelConfigs.js';
import { modelSettings } from '../../config/modelSettings.js';
import { isAddress, isPath } from '../../config/paths.js';
import { settingProblem, withSourceOf } from '../../config/source.js';
import { validate } from '../../config/validate.js';
import { samplesNow, type Dataset } from '../../data/dataset.js';
import { AiforgeError } from '../../errors.js';
import { size, string } from '../../kinds.js';
import { childLogger } from '../../log.js';
import { show } from '../../show.js';
import type { BaseDataset, Splits } from '../baseDataset.js';
import { BaseModel } from '../baseModel.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import { ownCopy } from '../copies.js';
import { awaited, called, calledFor } from '../plugins/calls.js';
import { create, type LoadedPlugin } from '../plugins/plugin.js';
import { loadPlugin } from '../plugins/plugins.js';
import type { Ranks } from '../ranks.js';
import { saving } from './saving.js';
import { splitDataset } from './splits.js';

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
  const dataset = await loadDataset(config, plugins, context);
  const splits = splitDataset(dataset, config.training);
  const preprocessor = createPreprocessor(plugins);
  const { classNames } = dataset;
  const items = itemsOf(dataset);
  if (preprocessor === undefined) return { samples: items, splits, preprocessor, classNames };
  if (preprocessorFile !== undefined) called('Preprocessor.load', () => preprocessor.load(preprocessorFile));
  else if (context.ranks.rank === 0) {
    const training = new Items(items, splits.train);
    await awaited('Preprocessor.fit', () =>
      preprocessor.fit(training, withSourceOf(config.preprocessArgs, ownCopy(config.preprocessArgs))),
    );
  }
  return { samples: transformed(items, preprocessor), splits, preprocessor, classNames };
}

/** Writes rank 0's fitted preprocessor into the run's folder, from where the others take it. */
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

async function loadDataset(
  config: ExperimentConfig,
  plugins: ExperimentPlugins,
  { ranks, dataDir, signal }: DataContext,
): Promise<BaseDataset> {
  const dataset = create<BaseDataset>(plugins.dataset, 'Dataset');
  const loadContext = {
    rank: ranks.rank,
    worldSize: ranks.worldSize,
    barrier: () => ranks.barrier(),
    signal,
    // The plugin's own copies, to sort or to fill in: the run goes by its own.
    args: withSourceOf(config.datasetArgs, ownCopy(config.datasetArgs)),
    logger: childLogger({ plugin: plugins.dataset.name }),
  };
  await awaited('Dataset.loadData', () => dataset.loadData(dataPathIn(dataDir, config.dataPath), loadContext));
  checkDataset(dataset);
  return dataset;
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

/** The items at some indices, as often as they are asked for. */
class Items implements Iterable<unknown> {
  constructor(
    private readonly items: Dataset,
    private readonly indices: readonly number[],
  ) {}

  *[Symbol.iterator](): Iterator<unknown> {
    for (const index of this.indices) yield this.items.get(index);
  }
}

function transformed(items: Dataset, preprocessor: BasePreprocessor): Dataset {
  const call = (index: number): string => `Preprocessor.transform, for item ${index},`;
  const transformItem = (item: unknown): unknown => preprocessor.transform(item);
  const transform = (item: unknown, index: number): unknown => calledFor(call, transformItem, item, index);
  return {
    length: items.length,
    get: (index) => transform(items.get(index), index),
    getBatch: (indices) => samplesNow(items, indices, 'Dataset').map((item, i) => transform(item, indices[i]!)),
  };
}

/** A plugin's items. One that is missing shows here: a preprocessor, or what makes batches, would blame itself. */
function itemsOf(dataset: BaseDataset): Dataset {
  const { length } = dataset;
  const call = (index: number): string => `Dataset.get(${index})`;
  const read = (index: number): unknown => dataset.get(index);
  const get = (index: number): unknown => present(calledFor(call, read, index, index), call, index);
  if (dataset.getBatch === undefined) return { length, get };
  const answers = {
    length,
    get,
    getBatch: (indices: readonly number[]) => called('Dataset.getBatch', () => dataset.getBatch!(indices)),
  };
  const getBatch = (indices: readonly number[]): unknown[] =>
    samplesNow(answers, indices, 'Dataset').map((item, i) => present(item, inBatch, indices[i]!));
  return { length, get, getBatch };
}

const inBatch = (index: number): string => `Dataset.getBatch, for ${index},`;

function present(item: unknown, call: (index: number) => string, index: number): unknown {
  if (item !== undefined && item !== null) return item;
  throw new AiforgeError('PLUGIN_INVALID', `${call(index)} returned ${String(item)}; expected the item.`);
}
