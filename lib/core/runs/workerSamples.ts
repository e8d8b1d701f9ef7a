// How a worker of a DataLoader makes the samples of an experiment again.
import path from 'node:path';
import { rememberOrigin } from '../../data/fromModule.js';
import { restoreDraws } from '../../data/loading/draws.js';
import type { Dataset } from '../../data/index.js';
import { childLogger } from '../../log.js';
import type { LoadContext } from '../baseDataset.js';
import { awaited, called } from '../plugins/calls.js';
import { create, type LoadedPlugin } from '../plugins/plugin.js';
import { loadPlugin } from '../plugins/plugins.js';
import type { BaseDataset } from '../baseDataset.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import { augmented, itemsOf, transformed } from './samples.js';

/** What the samples of an experiment are made of. */
export interface SampleSource {
  /** The folder of the data set's plugin; undefined where it was registered in code, which no worker can load. */
  readonly plugin: string | undefined;
  readonly dataPath: string;
  readonly args: Record<string, unknown>;
  readonly rank: number;
  readonly worldSize: number;
  /** The random state that the data is loaded with, as text. */
  readonly drawn: string;
}

interface SampleRecipe extends SampleSource {
  /** The file of the fitted preprocessor; null where there is none. */
  readonly preprocessor: string | null;
  readonly isAugmented: boolean;
}

/** Lets workers make samples too; `preprocessor` is the file of the fitted one, if there is one. */
export function describeSamples(
  { samples, trainSamples }: { samples: Dataset; trainSamples: Dataset },
  source: SampleSource,
  preprocessor: string | null,
): void {
  if (source.plugin === undefined) return;
  const file = preprocessor === null ? null : path.resolve(preprocessor);
  for (const [value, isAugmented] of [
    [samples, false],
    [trainSamples, true],
  ] as const) {
    // prettier-ignore
    const recipe: SampleRecipe = { ...source, preprocessor: file, isAugmented: isAugmented && trainSamples !== samples };
    rememberOrigin(value, { module: __filename, name: 'samplesInWorker', args: [recipe] });
  }
}

/** Loads a plugin's data. */
export async function loadItems(
  plugin: LoadedPlugin,
  dataPath: string,
  context: Omit<LoadContext, 'logger'>,
): Promise<BaseDataset> {
  const dataset = create<BaseDataset>(plugin, 'Dataset');
  const logger = childLogger({ plugin: plugin.name });
  await awaited('Dataset.loadData', () => dataset.loadData(dataPath, { ...context, logger }));
  return dataset;
}

/**
 * The samples, in a worker. What rank 0 prepares is there when it is called.
 *
 * @public Workers call it by its name.
 */
export async function samplesInWorker(recipe: SampleRecipe): Promise<Dataset> {
  const { plugin: directory, dataPath, args, rank, worldSize, drawn, preprocessor: file, isAugmented } = recipe;
  const plugin = loadPlugin(directory!, { from: directory!, kind: 'dataset' });
  restoreDraws(undefined, drawn);
  const context = { rank, worldSize, args, barrier: () => Promise.resolve(), signal: new AbortController().signal };
  const items = itemsOf(await loadItems(plugin, dataPath, context));
  if (file === null) return items;
  const preprocessor = create<BasePreprocessor>(plugin, 'Preprocessor');
  called('Preprocessor.load', () => preprocessor.load(file));
  const samples = transformed(items, preprocessor);
  return isAugmented ? augmented(samples, preprocessor) : samples;
}
