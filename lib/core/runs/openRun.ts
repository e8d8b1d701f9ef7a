import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { loadExperimentConfig } from '../../config/load.js';
import { placed } from '../../config/source.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { manualSeed, type Device } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import { readAnyWeights } from '../checkpoints/anyWeights.js';
import { checkFile, checksumOfFile } from '../checkpoints/checksum.js';
import { deviceOf, onDevice } from '../devices.js';
import { randomState, restoreRandomState } from '../randomState.js';
import { withFastDevRun } from '../training/limits.js';
import { checkOverrides } from './changes.js';
import { configureLoss, createModel, resolvePlugins, type ExperimentPlugins } from './experiment.js';
import { runFiles, type RunFiles } from './runDirectory.js';

/** Weights that a run's model has. */
export interface UsedWeights {
  file: string;
  /** From 1; null where the file does not say. */
  epoch: number | null;
}

/** A run with its model, to be asked or measured; nothing in its folder changes. */
export interface OpenedRun {
  files: RunFiles;
  config: ExperimentConfig;
  plugins: ExperimentPlugins;
  model: BaseModel;
  /** Where the model is. */
  device: Device;
  weights: UsedWeights;
}

interface OpenRunOptions {
  weights: string | undefined;
  /** Default: that of the run's configuration. */
  device?: Device;
  overrides?: readonly string[] | undefined;
  /** The settings that overrides may change, each with what is under it. */
  mayChange?: readonly string[];
}

/** The run's own configuration, with overrides of what may be changed. */
export function configOfRun(
  directory: string,
  overrides: readonly string[] = [],
  mayChange: readonly string[] = [],
): ExperimentConfig {
  const { config: file } = runFiles(directory);
  if (!existsSync(file)) {
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `${directory} is no run's folder: it has no config.yaml. Train first, for example with \`npx aiforge train experiments/spam.yaml\`.`,
    );
  }
  const own = loadExperimentConfig(file);
  if (overrides.length === 0) return own;
  const config = loadExperimentConfig(file, overrides);
  checkOverrides(own, config, mayChange);
  return config;
}

/** Makes the model of a run as the run did, and gives it the best weights, or others. */
export function openRun(
  directory: string,
  { weights, device: given, overrides, mayChange }: OpenRunOptions,
): OpenedRun {
  const files = runFiles(directory);
  const config = configOfRun(directory, overrides, mayChange);
  const file = weightsFile(files, weights);
  const device = given ?? placed(config, () => deviceOf(config.training.device));
  const plugins = placed(config, () => resolvePlugins(config, directory));
  const model = onDevice(device, () => modelOf(config, plugins, device));
  const { epoch, preprocessor } = readAnyWeights(file, model);
  if (plugins.dataset.Preprocessor !== undefined) checkPreprocessor(files, file, preprocessor);
  model.eval();
  const training = withFastDevRun(config.training);
  return { files, config: { ...config, training }, plugins, model, device, weights: { file, epoch } };
}

/** What it draws and no file holds is as the run had it; the caller's random state stays as it is. */
function modelOf(config: ExperimentConfig, plugins: ExperimentPlugins, device: Device): BaseModel {
  const drawn = randomState(device);
  try {
    manualSeed(config.training.seed);
    const model = createModel(plugins);
    configureLoss(model, config.training.lossFnName);
    model.to(device);
    return model;
  } finally {
    restoreRandomState(drawn, device);
  }
}

function weightsFile(files: RunFiles, given: string | undefined): string {
  const named = given === undefined ? files.best : [path.resolve(files.directory, given), path.resolve(given)].find((file) => existsSync(file)); // prettier-ignore
  if (named !== undefined && existsSync(named)) return named;
  const own = weightsIn(files);
  const there = own.length === 0 ? 'It has no weights yet' : `It has ${own.join(', ')}`;
  const problem =
    given === undefined
      ? `${files.directory} has no best.safetensors: none of its epochs was finished.`
      : `There are no weights '${given}', neither in ${files.directory} nor in the working directory.${didYouMean(given, own)}`;
  throw new AiforgeError('FILE_NOT_FOUND', `${problem} ${there}.`);
}

/** The files of weights in a run's folder, as they are given. */
function weightsIn({ directory, checkpoints }: RunFiles): string[] {
  const inside = (folder: string) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.safetensors') && !name.startsWith('.')) : []; // prettier-ignore
  const kept = inside(checkpoints).map((name) => path.join(path.basename(checkpoints), name));
  return [...inside(directory), ...kept].sort();
}

/** Weights are right with what the preprocessor had learnt when they were trained, and with nothing else. */
function checkPreprocessor(files: RunFiles, weights: string, expected: string | null): void {
  const isOwn = path.resolve(weights).startsWith(path.resolve(files.directory) + path.sep);
  if (isOwn || expected === null || !existsSync(files.preprocessor)) checkFile(files.preprocessor, expected);
  else if (checksumOfFile(files.preprocessor) !== expected) {
    throw new AiforgeError(
      'FILE_INVALID',
      `${weights} was trained with another preprocessor than ${files.preprocessor}: its weights do not go with it. Give the folder of its own run.`,
    );
  }
}
