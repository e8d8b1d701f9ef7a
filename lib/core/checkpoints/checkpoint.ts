import { statSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import type { GradScalerStateDict } from '../../amp/index.js';
import { ExperimentConfig } from '../../config/experimentConfig.js';
import { AiforgeError } from '../../errors.js';
import type { Module } from '../../nn/index.js';
import { scope, type SafetensorsFile, type Tensor } from '../../tensor/index.js';
import type { SavedMetrics } from '../training/measuring/loggedMetrics.js';
import type { SavedScheduler } from '../training/optimization/scheduling.js';
import type { GradientBuckets } from '../ranks.js';
import { fromJson, toJson } from './checkpointJson.js';
import { checkFile, checksumOf, loadChecked, saveChecked } from './checksum.js';
import { versions } from './manifest.js';
import { metricTensors, metricTexts, MetricTexts, savedMetrics } from './metricStates.js';
import { restoreModel, saveModel, type SavedModel } from './modelState.js';
import type { SavedOptimizer } from './optimizerState.js';
import { joinTensors, splitTensors } from './tensorTree.js';
import { optional, orNull, size, string } from '../../kinds.js';
import { signature } from '../../signature.js';
import { moduleKind } from '../../nn/moduleKinds.js';

const format = 'aiforge-checkpoint-4';

/** Where a run stands, beside its tensors. */
export const RunState = z.object({
  /** Epochs that are done, and the batches that are done of the next one. */
  epoch: z.int().min(0),
  batch: z.int().min(0),
  /** Samples of that one that all ranks have taken. */
  taken: z.int().min(0),
  /** Optimizer steps since the run began. */
  step: z.int().min(0),
  /** Batches trained on since the run began, on one rank. */
  trainedBatches: z.int().min(0),
  /** The batch of the epoch after which it was validated last, by `valCheckInterval`; 0 where it was not. */
  validatedBatch: z.int().min(0),
  /** The monitored value of the best weights. */
  best: z.number().nullable(),
  /** The number of their epoch, from 1. */
  bestEpoch: z.int().min(1).nullable(),
  /** The checksum of their file. */
  bestWeights: z.string().nullable(),
  /** The weights that `checkpoint.topK` keeps, the best first. */
  kept: z.array(z.object({ file: z.string(), epoch: z.int().min(1), value: z.number() })),
  /** What early stopping has seen. */
  stopping: z.object({ best: z.number().nullable(), badEpochs: z.int().min(0) }),
  /** Epochs whose weights were averaged, or looked at for it. */
  averagedEpochs: z.int().min(0),
  worldSize: z.int().min(1),
  /** Samples to train on. */
  trainSamples: z.int().min(1),
  /** What the steps of the epoch measure themselves, each name with how it is reduced. */
  metricKeys: z.array(z.string()),
  mlflowRunId: z.string().nullable(),
});
export type RunState = z.infer<typeof RunState>;

/** The number of the epoch that weights of this state are of, from 1: the one they are in, or the last that is done; 0 before any. */
export function epochOf({ epoch, batch }: Pick<RunState, 'epoch' | 'batch'>): number {
  return epoch + (batch > 0 ? 1 : 0);
}

/** All that a run needs to go on as if it had never stopped. */
export interface Checkpoint extends SavedModel {
  state: RunState;
  /** The resolved configuration, and the names of the plugins that it was resolved with. */
  config: ExperimentConfig;
  plugins: { model: string; dataset: string };
  /** The checksum of the fitted preprocessor's file; null where there is none. */
  preprocessor: string | null;
  /** The names of the parameters that do not learn. */
  frozen: string[];
  /** How the ranks average gradients; null where that is not known yet. */
  gradientBuckets: GradientBuckets | null;
  /** By name; null for an optimizer without a schedule. */
  optimizers: Record<string, SavedOptimizer>;
  schedulers: Record<string, SavedScheduler | null>;
  /** Those of rank 0, by name. */
  callbacks: Record<string, unknown>;
  /** The averages of the weights; empty where there are none. */
  averages: Record<string, Tensor>;
  /** That of the scale of the loss; null where it is not scaled. */
  scaler: GradScalerStateDict | null;
  /** Of every rank: the generator's state, that of its GPU if it trains on one, and (`running`) the sums of the epoch's metrics. */
  rng: Tensor[];
  cudaRng: Tensor[];
  /** Of every rank: the state of its generator before the pass that it is in, from which its samples draw; empty between passes. */
  passRng: Tensor[];
  running: Tensor[];
  /** Those that the steps logged, with their states on every rank. */
  metrics: SavedMetrics;
  /** Of every rank, by the parameters' names: those of the step of the optimizer that was being gathered, if one was. */
  gradients: Record<string, Tensor>[];
}

const saveTakes = signature({
  file: string,
  model: moduleKind,
  epoch: size,
  preprocessor: optional(orNull(string)),
});
const loadTakes = signature({ file: string, model: moduleKind });

const withPrefix = (prefix: string, tensors: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [`${prefix}.${key}`, tensor]));

const under = (prefix: string, tensors: Record<string, Tensor>) =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([key, tensor]) =>
      key.startsWith(`${prefix}.`) ? [[key.slice(prefix.length + 1), tensor]] : [],
    ),
  );

/** Without what is not there. */
const given = (texts: Record<string, string | null | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));

const ofAllRanks = (gradients: readonly Record<string, Tensor>[]) =>
  Object.fromEntries(gradients.flatMap((own, rank) => Object.entries(withPrefix(String(rank), own))));

/**
 * The weights of a model, in a file that Python's `safetensors` reads under PyTorch's keys, with the epoch that they are of and
 * the checksum of the preprocessor's file that they go with.
 */
export function saveWeights(file: string, model: Module, epoch: number, preprocessor: string | null = null): void {
  saveTakes.check('saveWeights', arguments);
  scope(() => {
    const { tensors, metadata } = weightsContent(model, epoch, preprocessor);
    saveChecked(file, tensors, metadata);
  });
}

/** What `saveWeights` writes. */
export function weightsContent(model: Module, epoch: number, preprocessor: string | null): SafetensorsFile {
  return contentOfWeights(saveModel(model), epoch, preprocessor);
}

function contentOfWeights({ model, extraState }: SavedModel, epoch: number, preprocessor: string | null) {
  return { tensors: model, metadata: { format: 'pt', epoch: String(epoch), ...given({ preprocessor, extraState }) } };
}

/** The best weights as a checkpoint has them itself: that of the end of their epoch; undefined of any other. */
export function bestOf(checkpoint: Checkpoint): SafetensorsFile | undefined {
  const { state, preprocessor } = checkpoint;
  if (state.bestEpoch === null) return undefined;
  const content = contentOfWeights(checkpoint, state.bestEpoch, preprocessor);
  return checksumOf(content.tensors, content.metadata) === state.bestWeights ? content : undefined;
}

/** Loads a file of `saveWeights`, or any safetensors file. Throws FILE_NOT_FOUND, FILE_INVALID or STATE_DICT_MISMATCH. */
export function loadWeights(file: string, model: Module): void {
  loadTakes.check('loadWeights', arguments);
  readWeights(file, model);
}

/** As `loadWeights`; gives the checksum of the preprocessor's file that the weights go with, null where there is none. */
export function readWeights(file: string, model: Module): string | null {
  return scope(() => {
    const { tensors, metadata } = loadChecked(file);
    restoreModel(model, { model: tensors, ...given({ extraState: metadata.extraState }) });
    return metadata.preprocessor ?? null;
  });
}

/** Throws FILE_INVALID for a damaged file of weights, or one that was not made with the preprocessor's file beside it. */
export function checkWeights(file: string, preprocessorFile: string): void {
  scope(() => checkFile(preprocessorFile, loadChecked(file).metadata.preprocessor ?? null));
}

/** What is written of a checkpoint. */
export function checkpointContent(checkpoint: Checkpoint): SafetensorsFile {
  const callbacks = splitTensors(checkpoint.callbacks);
  const perRank = (tensors: Tensor[]) => Object.fromEntries(tensors.map((tensor, rank) => [rank, tensor]));
  const tensors = {
    ...withPrefix('model', checkpoint.model),
    ...optimizerTensors(checkpoint.optimizers),
    ...withPrefix('averages', checkpoint.averages),
    ...withPrefix('callbacks', callbacks.tensors),
    ...withPrefix('rng', perRank(checkpoint.rng)),
    ...withPrefix('cudaRng', perRank(checkpoint.cudaRng)),
    ...withPrefix('passRng', perRank(checkpoint.passRng)),
    ...withPrefix('running', perRank(checkpoint.running)),
    ...withPrefix('gradients', ofAllRanks(checkpoint.gradients)),
    ...withPrefix('metrics', metricTensors(checkpoint.metrics)),
  };
  const { state, config, plugins, preprocessor, optimizers, schedulers } = checkpoint;
  const metadata = {
    format,
    versions: JSON.stringify(versions()),
    state: JSON.stringify(state),
    config: toJson(config),
    plugins: JSON.stringify(plugins),
    preprocessor: JSON.stringify(preprocessor),
    frozen: JSON.stringify(checkpoint.frozen),
    gradientBuckets: JSON.stringify(checkpoint.gradientBuckets),
    ...given({ extraState: checkpoint.extraState }),
    optimizers: toJson(
      Object.fromEntries(Object.entries(optimizers).map(([name, { tensors: _, ...rest }]) => [name, rest])),
    ),
    schedulers: toJson(schedulers),
    callbacks: toJson(callbacks.value),
    scaler: JSON.stringify(checkpoint.scaler),
    metrics: JSON.stringify(metricTexts(checkpoint.metrics)),
  };
  return { tensors, metadata };
}

const optimizerTensors = (optimizers: Record<string, SavedOptimizer>) =>
  Object.fromEntries(Object.entries(optimizers).flatMap(([name, { tensors }]) => Object.entries(withPrefix(`optimizer.${name}`, tensors)))); // prettier-ignore

/** The checkpoint at a path: the file itself, or `last.safetensors` of a run's folder. */
export function checkpointFile(given: string): string {
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? path.join(given, 'last.safetensors') : given;
}

/** Before samples were counted, batches were all that a checkpoint knew. */
const SavedState = RunState.extend({ taken: RunState.shape.taken.optional() });

const Metadata = z.object({
  state: SavedState,
  config: ExperimentConfig,
  plugins: z.object({ model: z.string(), dataset: z.string() }),
  preprocessor: z.string().nullable(),
  frozen: z.array(z.string()),
  gradientBuckets: z.array(z.array(z.string())).nullable(),
  scaler: z.custom<GradScalerStateDict>((value) => typeof value === 'object').nullable(),
  metrics: MetricTexts,
  optimizers: z.record(z.string(), z.object({ className: z.string(), options: z.string() })),
  schedulers: z.record(z.string(), z.custom<SavedScheduler>((value) => typeof value === 'object').nullable()),
  callbacks: z.record(z.string(), z.unknown()),
});

/** Reads what was written of `checkpointContent`. Throws FILE_NOT_FOUND or FILE_INVALID. */
export function loadCheckpoint(file: string): Checkpoint {
  const { tensors, metadata } = loadChecked(file, ({ format: given }) => given === format);
  if (metadata.format !== format) {
    throw new AiforgeError(
      'FILE_INVALID',
      `${file} is no checkpoint to resume from: its format is '${metadata.format ?? 'unknown'}', expected '${format}'. Resume from last.safetensors of a run's folder.`,
    );
  }
  const parse = (name: string) => readJson(file, name, () => fromJson(metadata[name] ?? 'null'));
  const read = Metadata.safeParse({
    state: parse('state'),
    config: parse('config'),
    plugins: parse('plugins'),
    preprocessor: parse('preprocessor'),
    frozen: parse('frozen'),
    gradientBuckets: parse('gradientBuckets'),
    scaler: parse('scaler'),
    metrics: parse('metrics'),
    optimizers: parse('optimizers'),
    schedulers: parse('schedulers'),
    callbacks: parse('callbacks'),
  });
  if (!read.success) throw new AiforgeError('FILE_INVALID', `${file}: ${z.prettifyError(read.error)}`);
  const { config } = read.data;
  const { batch, worldSize } = read.data.state;
  const state = { taken: batch * worldSize * config.training.batchSize, ...read.data.state };
  const metrics = savedMetrics(read.data.metrics, under('metrics', tensors));
  if (metrics === undefined) throw new AiforgeError('FILE_INVALID', `${file} lacks states of its metrics. Use another checkpoint.`); // prettier-ignore
  return {
    ...read.data,
    state,
    metrics,
    model: under('model', tensors),
    ...given({ extraState: metadata.extraState }),
    optimizers: Object.fromEntries(Object.entries(read.data.optimizers).map(([name, rest]) => [name, { ...rest, tensors: under(`optimizer.${name}`, tensors) }])), // prettier-ignore
    averages: under('averages', tensors),
    callbacks: joinTensors(read.data.callbacks, under('callbacks', tensors)) as Record<string, unknown>,
    rng: Object.values(under('rng', tensors)),
    cudaRng: Object.values(under('cudaRng', tensors)),
    passRng: Object.values(under('passRng', tensors)),
    running: Object.values(under('running', tensors)),
    gradients: Array.from({ length: state.worldSize }, (_, rank) => under(`gradients.${rank}`, tensors)),
  };
}

/** A checksum says that a file is as it was written, not that a run wrote it. */
function readJson(file: string, name: string, parse: () => unknown): unknown {
  try {
    return parse();
  } catch (cause) {
    throw new AiforgeError('FILE_INVALID', `${file}: its '${name}' is no JSON. Use another checkpoint.`, { cause });
  }
}
