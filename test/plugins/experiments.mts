// Runs an experiment of experiments/ in this process, with some settings changed.
import path from 'node:path';

import {
  Container,
  loadExperimentConfig,
  loadPlugin,
  logger,
  Orchestrator,
  readSettings,
  type BaseDataset,
  type BasePreprocessor,
  type LoadContext,
  type RunResult,
} from 'aiforge';

export function train(name: string, folder: string, overrides: string[]): Promise<RunResult> {
  const container = new Container();
  container.experimentConfig.override(loadExperimentConfig(`experiments/${name}.yaml`, overrides));
  return new Orchestrator(container, { settings: readSettings({ RUNS_DIR: path.join(folder, 'runs') }) }).runExperiment(); // prettier-ignore
}

/** A data set of a plugin that has read `dataPath`. */
export async function loadDataset<Item>(name: string, dataPath: string, args: object = {}): Promise<BaseDataset<Item>> {
  const { Dataset } = loadPlugin(path.resolve('plugins', name));
  const dataset = new (Dataset as unknown as new () => BaseDataset<Item>)();
  const context: LoadContext = {
    ...{ rank: 0, worldSize: 1, barrier: () => Promise.resolve(), signal: new AbortController().signal, logger },
    args: args as Record<string, unknown>,
  };
  await dataset.loadData(dataPath, context);
  return dataset;
}

export function createPreprocessor<Item, Sample>(name: string): BasePreprocessor<Item, Sample> {
  const { Preprocessor } = loadPlugin(path.resolve('plugins', name));
  return new (Preprocessor as unknown as new () => BasePreprocessor<Item, Sample>)();
}

/** The error that a promise is rejected with. */
export const failure = (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: Error) => error,
  );
