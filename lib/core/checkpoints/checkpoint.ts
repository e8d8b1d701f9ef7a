import { statSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { AiforgeError } from '../../errors.js';
import type { Module } from '../../nn/index.js';
import type { Optimizer } from '../../optim/index.js';
import { loadSafetensors, saveSafetensors, scope, Tensor } from '../../tensor/index.js';
import { fromJson, toJson } from './checkpointJson.js';
import type { SavedScheduler } from '../training/scheduling.js';

const format = 'aiforge-checkpoint-1';

/** Where a run stands, beside its tensors. */
export const RunState = z.object({
  /** The epoch to go on with, and the batches of it that are done. */
  epoch: z.int().min(0),
  batch: z.int().min(0),
  /** Optimizer steps since the run began. */
  step: z.int().min(0),
  best: z.number().nullable(),
  bestEpoch: z.int(),
  badEpochs: z.int().min(0),
  worldSize: z.int().min(1),
  mlflowRunId: z.string().nullable(),
});
export type RunState = z.infer<typeof RunState>;

/** All that a run needs to go on as if it had never stopped. */
export interface Checkpoint {
  state: RunState;
  model: Record<string, Tensor>;
  optimizer: Record<string, Tensor>;
  /** Of every rank: the generator's state, and the sums that the epoch's metrics are made of. */
  rng: Tensor[];
  running: Tensor[];
  /** The optimizer's options and numbers, as JSON. */
  optimizerOptions: string;
  scheduler: SavedScheduler | null;
}

const withPrefix = (prefix: string, tensors: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [`${prefix}.${key}`, tensor]));

const under = (prefix: string, tensors: Record<string, Tensor>) =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([key, tensor]) =>
      key.startsWith(`${prefix}.`) ? [[key.slice(prefix.length + 1), tensor]] : [],
    ),
  );

/** The weights of a model, in a file that Python's `safetensors` reads under PyTorch's keys. */
export function saveWeights(file: string, model: Module, epoch: number): void {
  scope(() => saveSafetensors(file, model.stateDict(), { format: 'pt', epoch: String(epoch) }));
}

/** Loads a file of `saveWeights`. Throws FILE_NOT_FOUND, FILE_INVALID or STATE_DICT_MISMATCH. */
export function loadWeights(file: string, model: Module): void {
  scope(() => model.loadStateDict(loadSafetensors(file).tensors));
}

export function saveCheckpoint(file: string, checkpoint: Checkpoint): void {
  const perRank = (tensors: Tensor[]) => Object.fromEntries(tensors.map((tensor, rank) => [rank, tensor]));
  const tensors = {
    ...withPrefix('model', checkpoint.model),
    ...withPrefix('optimizer', checkpoint.optimizer),
    ...withPrefix('rng', perRank(checkpoint.rng)),
    ...withPrefix('running', perRank(checkpoint.running)),
  };
  const { state, optimizerOptions, scheduler } = checkpoint;
  saveSafetensors(file, tensors, {
    format,
    state: JSON.stringify(state),
    optimizer: optimizerOptions,
    scheduler: toJson(scheduler),
  });
}

/** The checkpoint at a path: the file itself, or `last.safetensors` of a run's folder. */
export function checkpointFile(given: string): string {
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? path.join(given, 'last.safetensors') : given;
}

/** Reads what `saveCheckpoint` wrote. Throws FILE_NOT_FOUND or FILE_INVALID. */
export function loadCheckpoint(file: string): Checkpoint {
  const { tensors, metadata } = loadSafetensors(file);
  if (metadata.format !== format) {
    throw new AiforgeError(
      'FILE_INVALID',
      `${file} is no checkpoint to resume from: its format is '${metadata.format ?? 'unknown'}', expected '${format}'. Resume from last.safetensors of a run's folder.`,
    );
  }
  const state = RunState.safeParse(JSON.parse(metadata.state ?? 'null'));
  if (!state.success) throw new AiforgeError('FILE_INVALID', `${file}: ${z.prettifyError(state.error)}`);
  return {
    state: state.data,
    model: under('model', tensors),
    optimizer: under('optimizer', tensors),
    rng: Object.values(under('rng', tensors)),
    running: Object.values(under('running', tensors)),
    optimizerOptions: metadata.optimizer ?? '{}',
    scheduler: fromJson(metadata.scheduler ?? 'null') as SavedScheduler | null,
  };
}

interface OptimizerState {
  state: Record<string, Record<string, unknown>>;
  [rest: string]: unknown;
}

/** An optimizer's state as tensors by name, and the rest as JSON. */
export function flattenOptimizer(optimizer: Optimizer): Pick<Checkpoint, 'optimizer' | 'optimizerOptions'> {
  const { state, ...rest } = optimizer.stateDict() as unknown as OptimizerState;
  const tensors: Record<string, Tensor> = {};
  const numbers: Record<string, Record<string, unknown>> = {};
  for (const [index, entries] of Object.entries(state)) {
    numbers[index] = {};
    for (const [name, value] of Object.entries(entries)) {
      if (Tensor.isTensor(value)) tensors[`${index}.${name}`] = value;
      else numbers[index][name] = value;
    }
  }
  return { optimizer: tensors, optimizerOptions: toJson({ ...rest, state: numbers }) };
}

/** Gives an optimizer the state that `flattenOptimizer` took. */
export function restoreOptimizer(optimizer: Optimizer, checkpoint: Checkpoint): void {
  const saved = fromJson(checkpoint.optimizerOptions) as OptimizerState;
  for (const [key, tensor] of Object.entries(checkpoint.optimizer)) {
    const dot = key.indexOf('.');
    const entries = (saved.state[key.slice(0, dot)] ??= {});
    entries[key.slice(dot + 1)] = tensor;
  }
  optimizer.loadStateDict(saved as unknown as Parameters<Optimizer['loadStateDict']>[0]);
}
