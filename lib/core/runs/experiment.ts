import path from 'node:path';

import { z } from 'zod';

import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { ModelConfig } from '../../config/modelConfigs.js';
import { validate } from '../../config/validate.js';
import type { Dataset } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { childLogger } from '../../log.js';
import type { BaseDataset, Splits } from '../baseDataset.js';
import { BaseModel } from '../baseModel.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import type { LoadedPlugin } from '../plugins/plugin.js';
import { loadPlugin } from '../plugins/plugins.js';
import type { Ranks } from '../ranks.js';
import { splitDataset } from './splits.js';

/** The plugins of an experiment, found and checked, with the model's configuration. */
export interface ExperimentPlugins {
  model: LoadedPlugin;
  dataset: LoadedPlugin;
  modelConfig: Record<string, unknown>;
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
  const model = loadPlugin(config.modelPlugin, { from, kind: 'model' });
  const dataset = loadPlugin(config.datasetPlugin, { from, kind: 'dataset' });
  const schema = model.Config ?? z.looseObject(ModelConfig.shape);
  const modelConfig = validate(schema, config.model, {
    source: `the configuration of '${model.name}'`,
    under: ['model'],
  });
  return { model, dataset, modelConfig };
}

/** The experiment with the model's defaults filled in, and plugins given by path made relative to the run's folder. */
export function resolvedConfig(
  config: ExperimentConfig,
  plugins: ExperimentPlugins,
  from: string,
  runDirectory: string,
) {
  const relocate = (name: string) =>
    /^\.{0,2}\//.test(name) ? `./${path.relative(runDirectory, path.resolve(from, name))}` : name;
  return {
    ...config,
    modelPlugin: relocate(config.modelPlugin),
    datasetPlugin: relocate(config.datasetPlugin),
    model: plugins.modelConfig,
  };
}

export function createModel({ model, modelConfig }: ExperimentPlugins): BaseModel {
  const ModelClass = model.Model as unknown as new (config: object) => BaseModel;
  const made = new ModelClass(modelConfig);
  if (!(made instanceof BaseModel)) {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `The plugin '${model.name}': class Model must extend BaseModel of 'aiforge'.`,
    );
  }
  return made;
}

export function createPreprocessor({ dataset }: ExperimentPlugins): BasePreprocessor | undefined {
  const PreprocessorClass = dataset.Preprocessor as unknown as (new () => BasePreprocessor) | undefined;
  return PreprocessorClass && new PreprocessorClass();
}

/** Loads and divides the data, and fits the preprocessor to the training split: on rank 0, from whose file all ranks load it. */
export async function prepareData(
  config: ExperimentConfig,
  plugins: ExperimentPlugins,
  ranks: Ranks,
  dataDir: string,
  preprocessorFile: string,
): Promise<ExperimentData> {
  const dataset = await loadDataset(config, plugins, ranks, dataDir);
  const splits = splitDataset(dataset, config.training);
  const preprocessor = createPreprocessor(plugins);
  if (preprocessor === undefined) return { samples: dataset, splits, preprocessor, classNames: dataset.classNames };
  if (ranks.rank === 0) {
    await preprocessor.fit(new Items(dataset, splits.train), config.preprocessArgs);
    preprocessor.save(preprocessorFile);
  }
  await ranks.barrier();
  if (ranks.rank !== 0) preprocessor.load(preprocessorFile);
  return { samples: transformed(dataset, preprocessor), splits, preprocessor, classNames: dataset.classNames };
}

/** A plain name lies in the data folder; `./x`, `/x` and addresses such as `npm:x` are taken as they are. */
function dataPathIn(dataDir: string, dataPath: string): string {
  return /^(\.{0,2}\/|[a-z]+:)/.test(dataPath) ? dataPath : path.join(dataDir, dataPath);
}

async function loadDataset(
  config: ExperimentConfig,
  plugins: ExperimentPlugins,
  ranks: Ranks,
  dataDir: string,
): Promise<BaseDataset> {
  const DatasetClass = plugins.dataset.Dataset as unknown as new () => BaseDataset;
  const dataset = new DatasetClass();
  await dataset.loadData(dataPathIn(dataDir, config.dataPath), {
    rank: ranks.rank,
    worldSize: ranks.worldSize,
    barrier: () => ranks.barrier(),
    args: config.datasetArgs,
    logger: childLogger({ plugin: plugins.dataset.name }),
  });
  return dataset;
}

/** The items at some indices, as often as they are asked for. */
class Items implements Iterable<unknown> {
  constructor(
    private readonly dataset: BaseDataset,
    private readonly indices: readonly number[],
  ) {}

  *[Symbol.iterator](): Iterator<unknown> {
    for (const index of this.indices) yield this.dataset.get(index);
  }
}

function transformed(dataset: BaseDataset, preprocessor: BasePreprocessor): Dataset {
  return { length: dataset.length, get: (index) => preprocessor.transform(dataset.get(index)) };
}
