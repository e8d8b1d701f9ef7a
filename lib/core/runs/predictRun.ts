import { setImmediate } from 'node:timers/promises';

import { noGrad } from '../../autograd/index.js';
import { checkSettings, readSettings, type Settings } from '../../config/settings.js';
import { settingProblem } from '../../config/source.js';
import { AiforgeError } from '../../errors.js';
import { anything, boolean, count, kind, listOf, oneOf, string, type Kind } from '../../kinds.js';
import { isError, isPlainObject } from '../../realms.js';
import { signature } from '../../signature.js';
import { launchedEnvironment } from '../../slurm.js';
import { manualSeed, scope } from '../../tensor/index.js';
import type { Splits } from '../baseDataset.js';
import { onDevice } from '../devices.js';
import { create } from '../plugins/plugin.js';
import { randomState, restoreRandomState } from '../randomState.js';
import { singleProcess } from '../ranks.js';
import { Placement } from '../training/placement.js';
import { signalKind, throwErrorOf, untilAborted } from '../untilAborted.js';
import { prepareData, type ExperimentData, type ExperimentPlugins } from './experiment.js';
import { answerOf, classesOf, fittedPreprocessor } from './loadRun.js';
import { openRun, type OpenedRun } from './openRun.js';
import {
  batchesOfItems,
  batchesOfSamples,
  itemNames,
  type ItemBatch,
  type Loaded,
  type PlaceNames,
} from './predictionBatches.js';
import { typesOf, valuesOf, type ColumnType } from './predictedValues.js';

export interface PredictRunOptions<Item = unknown> {
  /** What is predicted for: items as those of the data set, which need no labels. Either these or `split` must be given. */
  items?: Iterable<Item> | AsyncIterable<Item>;
  /** A split of the run's data set, or all of it. Limits of the run do not count. */
  split?: 'train' | 'val' | 'test' | 'all';
  /** As of `loadRun`. Default: `'best.safetensors'`. */
  weights?: string;
  /** Settings as a command takes them: of `training.device`, and with `split` of `dataPath` and `datasetArgs`. Default: the run's own. */
  overrides?: readonly string[];
  /** Items that are predicted for together. Default: `training.batchSize` of the run. */
  batchSize?: number;
  /** Whether each prediction is made `{ prediction, label, probability }`, of logits. Default: false. */
  classify?: boolean;
  /** Whether an item that has no sample, or that the model fails with alone, gives its error in the place of a prediction, and does not end it. Default: false. */
  skipErrors?: boolean;
  /** Aborting it ends the predictions before the next batch, with RUN_INTERRUPTED. */
  signal?: AbortSignal;
  /** As of an Orchestrator. Default: those of the environment. */
  settings?: Settings;
}

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);

const predictTakes = signature<PredictRunOptions>(
  { directory: string },
  {
    items: kind('items: an array, or what for await goes through', isIterable),
    split: oneOf('train', 'val', 'test', 'all'),
    weights: string,
    overrides: listOf(string),
    batchSize: count,
    classify: boolean,
    skipErrors: boolean,
    signal: signalKind,
    // What is in it may be anybody's environment, which no error shows.
    settings: anything as Kind<Settings>,
  },
);

/** A prediction of classes. */
export interface ClassifiedPrediction {
  /** What `predictStep` gave for the item. */
  prediction: unknown;
  /** The name of the most probable class; its number where the data set does not say names before it has loaded, or has none. */
  label: string | number;
  /** That of the class, 0 to 1. */
  probability: number;
}

/**
 * The predictions of a run's model, in the order of the items: what `predictStep` gives, item by item and as plain data, without
 * gradients and in float32. Items are read when their batch is due, and no more than a batch is held.
 *
 * @throws AiforgeError as `loadRun`; PLUGIN_INVALID for an item that the preprocessor refuses, naming it, and for a `predictStep`
 * whose output has not an entry for each item; RUN_INTERRUPTED when it was asked to stop; TRAINING_FAILED among several ranks.
 * @example
 * import { Container, loadExperimentConfig, orchestrator, predictRun } from 'aiforge';
 * const container = new Container();
 * container.experimentConfig.override(loadExperimentConfig('experiments/simple_nn.yaml', ['training.epochs=1']));
 * const { runDirectory } = await container.get(orchestrator).runExperiment();
 * for await (const logits of predictRun(runDirectory, { split: 'test' })) console.log(logits);
 */
export function predictRun<Item = unknown, Output = unknown>(
  directory: string,
  options: PredictRunOptions<Item> = {},
): AsyncGenerator<Output, void> {
  predictTakes.check('predictRun', arguments);
  return predictions(directory, options) as AsyncGenerator<Output, void>;
}

async function* predictions(directory: string, options: PredictRunOptions): AsyncGenerator<unknown, void> {
  const { classify = false } = options;
  const predictor = await Predictor.open(directory, options);
  for await (const { answers } of predictor.batches()) {
    for (const answer of answers) {
      if ('error' in answer) yield answer.error;
      else yield classify ? { prediction: answer.value, ...answer.class } : answer.value;
    }
  }
}

/** What was predicted for an item, or why nothing was. */
export type Answer =
  { value: unknown; class: Pick<ClassifiedPrediction, 'label' | 'probability'> | undefined } | { error: Error };

/** @internal Those of a batch, with the types of what are tensors. */
export interface Answers {
  answers: Answer[];
  types: Record<string, ColumnType>;
}

const defaultSignal = (): AbortSignal => new AbortController().signal;

/** @internal Predicts batch by batch. */
export class Predictor {
  private constructor(
    private readonly run: OpenedRun,
    private readonly source: AsyncIterable<ItemBatch> | Iterable<ItemBatch>,
    private readonly classNames: readonly string[] | undefined,
    private readonly options: PredictRunOptions,
    /** The items of a split, by their indices in the data set, and how many they are; undefined for items that are given. */
    readonly indices: readonly number[] | undefined,
  ) {}

  /** Loads the model, and the data of a split. */
  static async open(directory: string, options: PredictRunOptions, names: PlaceNames = itemNames): Promise<Predictor> {
    const { items, split, weights, overrides = [], skipErrors = false } = options;
    if (options.settings !== undefined) checkSettings(options.settings);
    if ((items === undefined) === (split === undefined)) {
      throw new AiforgeError('INVALID_ARGUMENT', `predictRun takes either items or a split, got ${items === undefined ? 'neither' : 'both'}.`); // prettier-ignore
    }
    if (Number(launchedEnvironment().WORLD_SIZE ?? 1) > 1) {
      throw new AiforgeError('TRAINING_FAILED', `Predictions are made in one process, and this is one of ${launchedEnvironment().WORLD_SIZE}: start it without aiforge-launch.`); // prettier-ignore
    }
    const mayChange = ['training.device', ...(split === undefined ? [] : ['dataPath', 'datasetArgs'])];
    const run = openRun(directory, { weights, overrides, mayChange });
    const { batchSize = run.config.training.batchSize } = options;
    if (items !== undefined) {
      const source = batchesOfItems(items, fittedPreprocessor(run.plugins, run.files), { batchSize, skipErrors, names }); // prettier-ignore
      return new Predictor(run, source, declaredClassNames(run.plugins), options, undefined);
    }
    const data = await dataOf(run, options);
    const indices = indicesOf(data, split!);
    const source = batchesOfSamples(data, indices, { batchSize, skipErrors });
    return new Predictor(run, source, data.classNames, options, indices);
  }

  /** The answers for each batch, in order; for each item of a batch that fails alone, where errors are skipped. */
  async *batches(): AsyncGenerator<Answers, void> {
    const { run, options } = this;
    const { signal = defaultSignal() } = options;
    const placement = new Placement(run.model, run.device, false);
    const inModel = <T>(work: () => T): T => onDevice(run.device, () => noGrad(() => scope(work)));
    let batchIdx = 0;
    for await (const batch of untilStopped(this.source, signal)) {
      const at = { placement, batchIdx: batchIdx++ };
      const answers = await inModel(() => this.#answer(batch, at));
      if (answers !== undefined) yield answers;
      // It need not fail with all of them.
      for (let i = 0; answers === undefined && i < batch.size; ++i) {
        yield await inModel(() => this.#answerOne(batch, i, at));
        await turn(signal);
      }
      await turn(signal);
    }
  }

  /** Undefined where the model fails and its items are to be tried one by one. */
  async #answer(batch: ItemBatch, at: Place): Promise<Answers | undefined> {
    const loaded = await batch.load();
    const sole = loaded.filter((each) => 'sample' in each).length === 1;
    const name = sole ? batch.nameOf(loaded.findIndex((each) => 'sample' in each)) : batch.name;
    try {
      return this.#predict(loaded, name, at);
    } catch (error) {
      if (this.options.skipErrors !== true || !isError(error)) throw error;
      return sole ? failing(loaded, error) : undefined;
    }
  }

  async #answerOne(batch: ItemBatch, i: number, at: Place): Promise<Answers> {
    const loaded = [await batch.loadOne(i)];
    try {
      return this.#predict(loaded, batch.nameOf(i), at);
    } catch (error) {
      if (!isError(error)) throw error;
      return failing(loaded, error);
    }
  }

  #predict(loaded: readonly Loaded[], name: string, { placement, batchIdx }: Place): Answers {
    const samples = loaded.flatMap((each) => ('error' in each ? [] : [each.sample]));
    if (samples.length === 0) return { answers: loaded as Answer[], types: {} };
    try {
      const output = answerOf(this.run.model, placement, samples, batchIdx);
      return { answers: this.#divide(output, loaded, samples.length), types: typesOf(output, samples.length) };
    } catch (cause) {
      if (!isError(cause)) throw cause;
      const code = cause instanceof AiforgeError ? cause.code : 'PLUGIN_INVALID';
      throw new AiforgeError(code, `There is no prediction for ${name}: ${cause.message}`, { cause });
    }
  }

  #divide(output: unknown, loaded: readonly Loaded[], count: number): Answer[] {
    const values = valuesOf(output, count);
    const classes = this.options.classify === true ? this.#classesOf(output) : [];
    let next = 0;
    return loaded.map((each) => {
      if ('error' in each) return each;
      const i = next++;
      return { value: values[i], class: classes[i] };
    });
  }

  #classesOf(output: unknown): Pick<ClassifiedPrediction, 'label' | 'probability'>[] {
    const logits = isPlainObject(output) && 'logits' in output ? output.logits : output;
    return classesOf(logits).map(({ label, probabilities }) => {
      const names = this.classNames;
      if (names !== undefined && names.length !== probabilities.length) {
        throw new AiforgeError('PLUGIN_INVALID', `the Dataset's classNames are ${names.length} (${names.join(', ')}), and the model tells ${probabilities.length} classes apart.`); // prettier-ignore
      }
      return { label: names?.[label] ?? label, probability: probabilities[label]! };
    });
  }
}

interface Place {
  placement: Placement;
  batchIdx: number;
}

/** The answers where no sample has a prediction. */
function failing(loaded: readonly Loaded[], error: Error): Answers {
  return { answers: loaded.map((each) => ('error' in each ? each : { error })), types: {} };
}

/** Lets signals be heard. */
async function turn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw stopped(signal);
}

function stopped(signal: AbortSignal): AiforgeError {
  throwErrorOf(signal.reason);
  return new AiforgeError('RUN_INTERRUPTED', 'The predictions were stopped before all items had one.');
}

async function* untilStopped<T>(source: AsyncIterable<T> | Iterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let isDone = false;
  try {
    for (;;) {
      const next: Promise<IteratorResult<T, unknown>> = Promise.resolve(iterator.next());
      const result = await untilAborted(signal, 'it predicted', next);
      if (result.done === true) {
        isDone = true;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    if (!(error instanceof AiforgeError) || error.code !== 'RUN_INTERRUPTED') throw error;
    throw stopped(signal);
  } finally {
    // Not waited for: it may wait for what does not come.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** Those that the class says before it has loaded anything. */
function declaredClassNames(plugins: ExperimentPlugins): readonly string[] | undefined {
  try {
    const { classNames } = create<{ classNames?: unknown }>(plugins.dataset, 'Dataset');
    const isNames = Array.isArray(classNames) && classNames.every((name) => typeof name === 'string');
    return isNames && classNames.length > 0 ? classNames : undefined;
  } catch {
    // It needs its data first.
    return undefined;
  }
}

async function dataOf(
  { config, plugins, files, device }: OpenedRun,
  options: PredictRunOptions,
): Promise<ExperimentData> {
  const { signal = defaultSignal(), settings = readSettings() } = options;
  const drawn = randomState(device);
  try {
    // As for the run: what the data draws depends on the seed alone.
    manualSeed(config.training.seed);
    const context = { ranks: singleProcess, dataDir: settings.DATA_DIR, signal };
    return await untilAborted(
      signal,
      'its data was prepared',
      prepareData(config, plugins, context, files.preprocessor),
    );
  } finally {
    restoreRandomState(drawn, device);
  }
}

function indicesOf({ samples, splits }: ExperimentData, split: keyof Splits | 'all'): readonly number[] {
  const indices = split === 'all' ? Array.from({ length: samples.length }, (_, i) => i) : splits[split];
  if (indices.length > 0) return indices;
  throw settingProblem(['training', `${split}Fraction`], `the run's data set has no items in the split '${split}'.`);
}
