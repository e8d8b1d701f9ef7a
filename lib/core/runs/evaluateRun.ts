import { checkSettings, readSettings, type Settings } from '../../config/settings.js';
import { settingProblem } from '../../config/source.js';
import { AiforgeError } from '../../errors.js';
import { anything, listOf, oneOf, string, type Kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import { manualSeed, setNumThreads } from '../../tensor/index.js';
import type { Callback, EvaluationScores } from '../callbacks/callback.js';
import { Callbacks, callbacksKind } from '../callbacks/callbacks.js';
import { onDevice } from '../devices.js';
import { randomState, restoreRandomState } from '../randomState.js';
import { joinLaunchedRanks, ranksKind, type Ranks } from '../ranks.js';
import { Agreement, RunRequests } from '../training/agreement.js';
import { loadingOf } from '../training/loading.js';
import { evaluate, scoresOf } from '../training/evaluation.js';
import type { PassMetrics } from '../training/measuring/metrics.js';
import { whileUnderWay } from '../training/measuring/runsUnderWay.js';
import { limitSplits } from '../training/limits.js';
import { Placement } from '../training/placement.js';
import { Precision } from '../training/optimization/precision.js';
import { signalKind, throwErrorOf, untilAborted } from '../untilAborted.js';
import { describeSamples } from './workerSamples.js';
import { prepareData, type ExperimentData } from './experiment.js';
import { openRun, type OpenedRun, type UsedWeights } from './openRun.js';
import { asSoleRun } from './soleRun.js';

export interface EvaluateRunOptions {
  /** What the model is measured on: the split to validate on, or the held-out one. */
  split: 'val' | 'test';
  /** As of `loadRun`. Default: `'best.safetensors'`. */
  weights?: string;
  /**
   * Settings as a command takes them, such as `'training.batchSize=64'`: of `dataPath`, `datasetArgs`, and of `training` `batchSize`,
   * `device`, `numThreads`, `pinMemory`, `deterministic` and `limitValBatches` or `limitTestBatches`. Default: the run's own.
   */
  overrides?: readonly string[];
  /** The processes that evaluate together. Default: those that `aiforge-launch` or torchrun started, else this one alone. */
  ranks?: Ranks;
  /** What listens: `onStageStart`, `onBatchStart`, `onBatchEnd` and `onStageEnd` are told, and nothing else. Default: nothing. */
  callbacks?: readonly Callback[];
  /** Aborting it ends the evaluation at the next batch. */
  signal?: AbortSignal;
  /** As of an Orchestrator. Default: those of the environment. */
  settings?: Settings;
}

const evaluateTakes = signature<EvaluateRunOptions>(
  { directory: string },
  {
    split: oneOf('val', 'test'),
    weights: string,
    overrides: listOf(string),
    ranks: ranksKind,
    callbacks: callbacksKind,
    signal: signalKind,
    // What is in it may be anybody's environment, which no error shows.
    settings: anything as Kind<Settings>,
  },
  ['split'],
);

/** @internal What an evaluation gave, with what a report tells of it. */
export interface Evaluation {
  scores: EvaluationScores;
  weights: UsedWeights;
  samples: number;
  classNames: readonly string[] | undefined;
}

/** @internal The settings that an evaluation may have otherwise than the run. */
export function settingsOfEvaluation(split: 'val' | 'test'): string[] {
  const limit = split === 'val' ? 'limitValBatches' : 'limitTestBatches';
  const ofTraining = [
    'batchSize',
    'device',
    'numThreads',
    'pinMemory',
    'deterministic',
    'numWorkers',
    'prefetchFactor',
    limit,
  ];
  return ['dataPath', 'datasetArgs', ...ofTraining.map((name) => `training.${name}`)];
}

/**
 * Measures the model of a run on one of its splits: the scores that the run's `test` has, those of validation without `val_`. With
 * the best weights, on as many ranks, they are the recorded ones to the last bit. Nothing in the run's folder changes.
 *
 * @throws AiforgeError CONFIG_INVALID for an override of anything else, and for a split without samples; RUN_INTERRUPTED when it was
 * asked to stop; otherwise as `loadRun`.
 * @example
 * import { Container, evaluateRun, loadExperimentConfig, orchestrator } from 'aiforge';
 * const container = new Container();
 * container.experimentConfig.override(loadExperimentConfig('experiments/simple_nn.yaml', ['training.epochs=1']));
 * const { runDirectory } = await container.get(orchestrator).runExperiment();
 * const { loss, accuracy } = await evaluateRun(runDirectory, { split: 'test' });
 */
export async function evaluateRun(directory: string, options: EvaluateRunOptions): Promise<EvaluationScores> {
  evaluateTakes.check('evaluateRun', arguments);
  return (await evaluation(directory, options)).scores;
}

/** @internal As `evaluateRun`, with what a report tells beside the scores. */
export async function evaluation(directory: string, options: EvaluateRunOptions): Promise<Evaluation> {
  if (options.settings !== undefined) checkSettings(options.settings);
  const { weights, overrides, split } = options;
  const run = openRun(directory, { weights, overrides, mayChange: settingsOfEvaluation(split) });
  const drawn = randomState(run.device);
  try {
    return await asSoleRun(run.config.training, () =>
      onDevice(run.device, () => whileUnderWay(run.model, () => evaluateJoined(run, options))),
    );
  } finally {
    restoreRandomState(drawn, run.device);
  }
}

async function evaluateJoined(run: OpenedRun, options: EvaluateRunOptions): Promise<Evaluation> {
  const signal = options.signal ?? new AbortController().signal;
  if (options.ranks !== undefined) return evaluateOn(options.ranks, run, { ...options, signal });
  const { ranks, leave } = await untilAborted(signal, 'it started', joinLaunchedRanks(run.device));
  try {
    const result = await evaluateOn(ranks, run, { ...options, signal });
    await leave();
    return result;
  } catch (error) {
    // It may wait for ranks that wait for this one.
    leave().catch(() => undefined);
    throw error;
  }
}

type Options = EvaluateRunOptions & { signal: AbortSignal };

async function evaluateOn(ranks: Ranks, run: OpenedRun, options: Options): Promise<Evaluation> {
  const { config, model, device, weights } = run;
  const { training } = config;
  const callbacks = new Callbacks(options.callbacks ?? []);
  if (training.numThreads !== null) setNumThreads(training.numThreads);
  const data = await dataOf(run, ranks, options);
  describeSamples(data, data.source, data.preprocessor === undefined ? null : run.files.preprocessor);
  const indices = data.splits[options.split];
  const agreement = new Agreement(new RunRequests(options.signal), ranks);
  const parallel = await ranks.parallelize(model);
  manualSeed(training.seed + ranks.rank);
  const { epochs, batchSize } = training;
  const stage = options.split === 'val' ? 'validation' : 'test';
  const counters = { epoch: weights.epoch ?? epochs, epochs, optimizerStep: 0, trainedBatches: 0 };
  const placement = new Placement(model, device, device !== 'cpu' && (training.pinMemory ?? true));
  const precision = new Precision(training.precision, device);
  const passed = await evaluate({
    ...{
      model,
      samples: data.samples,
      indices,
      batchSize,
      loading: loadingOf(training, false),
      ranks,
      parallel,
      agreement,
    },
    ...{ placement, precision, callbacks, stage, counters },
  });
  const scores = scoresOf(passed ?? stopped(agreement.reason));
  return { scores, weights, samples: indices.length, classNames: data.classNames };
}

function stopped(reason: unknown): PassMetrics {
  throwErrorOf(reason);
  throw new AiforgeError('RUN_INTERRUPTED', 'The evaluation was stopped before it had measured all of the split.');
}

async function dataOf({ config, plugins, files }: OpenedRun, ranks: Ranks, options: Options): Promise<ExperimentData> {
  const { split, signal } = options;
  const { DATA_DIR: dataDir } = options.settings ?? readSettings();
  // As for the run: what the data draws depends on the seed alone.
  manualSeed(config.training.seed);
  const work = prepareData(config, plugins, { ranks, dataDir, signal }, files.preprocessor);
  const data = await untilAborted(signal, 'its data was prepared', work);
  await untilAborted(signal, 'its data was prepared', ranks.barrier());
  const splits = limitSplits(data.splits, config.training, ranks.worldSize);
  if (splits[split].length > 0) return { ...data, splits };
  const [setting, what] = split === 'val' ? ['valFraction', 'validate'] : ['testFraction', 'test'];
  throw settingProblem(
    ['training', setting],
    `there are no samples to ${what} on: the run was made with ${setting} ${config.training[setting as 'valFraction']}, or its limits or its data set leave none.`,
  );
}
