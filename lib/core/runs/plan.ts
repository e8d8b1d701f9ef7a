import { existsSync } from 'node:fs';
import path from 'node:path';

import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { resolvePaths } from '../../config/paths.js';
import { placed, settingProblem } from '../../config/source.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { show } from '../../show.js';
import { launchedEnvironment } from '../../slurm.js';
import { LBFGS, type Optimizer } from '../../optim/index.js';
import { manualSeed, scope, type Device } from '../../tensor/index.js';
import { BaseModel } from '../baseModel.js';
import { checkpointFile, loadCheckpoint, type Checkpoint } from '../checkpoints/checkpoint.js';
import { forRanks } from '../checkpoints/otherRanks.js';
import { checkFile } from '../checkpoints/checksum.js';
import { findBestWeights, keptStill, type BestWeights } from '../checkpoints/goingBack.js';
import { restoreModel, saveModel } from '../checkpoints/modelState.js';
import { restoreOptimizer } from '../checkpoints/optimizerState.js';
import { called } from '../plugins/calls.js';
import { randomState, type RandomState } from '../randomState.js';
import type { Ranks } from '../ranks.js';
import { checkMonitors, withModes } from '../training/earlyStopping.js';
import { withFastDevRun } from '../training/limits.js';
import { whilePlanning } from '../training/measuring/runsUnderWay.js';
import { checkpointActivations } from '../training/weights/activationCheckpointing.js';
import { checkedOptimizers, soleName, type Optimizers } from '../training/optimization/optimizers.js';
import { freeze, parameterGroups } from '../training/weights/parameterGroups.js';
import { changesOf, hasOpenLength, type Change } from './changes.js';
import { configureLoss, createModel, resolvedConfig, resolvePlugins, type ExperimentPlugins } from './experiment.js';
import { runDirectoryOf, runFiles } from './runDirectory.js';

/** A run that is to go on. */
export interface ResumedRun {
  directory: string;
  /** The checkpoint's file. */
  file: string;
  checkpoint: Checkpoint;
  /** Where its best weights are. */
  best: BestWeights;
  /** What its configuration changes, by path. */
  changes: Record<string, Change>;
}

/** All that can be made and checked of a run before data, files or trackers are touched. */
export interface RunPlan {
  /** With the model's defaults, and the ranks that take part. */
  config: ExperimentConfig;
  plugins: ExperimentPlugins;
  model: BaseModel;
  optimizers: Optimizers;
  resumed: ResumedRun | undefined;
  /** The random state that the initial weights leave behind, for training to go on from. */
  rng: RandomState;
  /** Where the model is. */
  device: Device;
}

/**
 * Finds the plugins, makes model, loss and optimizer, reads the checkpoint to resume from into them, and checks that all of it
 * fits together. Writes nothing. Throws CONFIG_INVALID, PLUGIN_NOT_FOUND, PLUGIN_INVALID, FILE_NOT_FOUND, FILE_INVALID,
 * STATE_DICT_MISMATCH or TRAINING_FAILED.
 */
export function planRun(given: ExperimentConfig, from: string, ranks: Ranks, device: Device): RunPlan {
  return whilePlanning(() => planned(given, from, ranks, device));
}

function planned(given: ExperimentConfig, from: string, ranks: Ranks, device: Device): RunPlan {
  const located = resolvePaths(given, () => from);
  const plugins = placed(given, () => resolvePlugins(located, from));
  const training = placed(given, () => {
    checkMonitors(located.training);
    return withModes(withFastDevRun(located.training));
  });
  const config = withRanks({ ...located, training, model: plugins.modelConfig }, ranks);
  const resumed = readResumed(config, plugins, ranks);
  manualSeed(config.training.seed);
  const model = createModel(plugins);
  const { lossFnName } = config.training;
  placed(given, () => configureLoss(model, lossFnName));
  // Its first weights are drawn on the CPU: they are the same wherever it trains.
  model.to(device);
  placed(given, () => {
    freeze(model, config.training.freeze);
    checkpointActivations(model, config.training.activationCheckpointing);
    checkManual(model, config.training);
  });
  const optimizers = placed(given, () => configureOptimizers(model, config.training));
  placed(given, () => checkClosures(model, optimizers, config.training, ranks));
  const rng = randomState(device);
  // What a checkpoint cannot hold is told before the first one is due.
  scope(() => saveModel(model));
  if (resumed !== undefined) restore(resumed, model, optimizers);
  return { config, plugins, model, optimizers, resumed, rng, device };
}

/** What the loop would do for a model that does it itself is refused. */
function checkManual(
  model: BaseModel,
  { accumulationSteps, nonFiniteLoss, scheduler }: ExperimentConfig['training'],
): void {
  if (typeof model.automaticOptimization !== 'boolean') {
    throw new AiforgeError('PLUGIN_INVALID', `The model's automaticOptimization is ${show(model.automaticOptimization)}; expected true or false.`); // prettier-ignore
  }
  if (model.automaticOptimization) return;
  const refusal = (setting: string, problem: string) =>
    settingProblem(['training', setting], `${problem} The model steps its optimizers itself (automaticOptimization is false).`); // prettier-ignore
  if (accumulationSteps > 1) throw refusal('accumulationSteps', `is ${accumulationSteps}: let the model count batches, and leave this at 1.`); // prettier-ignore
  if (nonFiniteLoss === 'skip') throw refusal('nonFiniteLoss', "is 'skip': let the model look at its losses before it steps, and set this to stop or ignore."); // prettier-ignore
  if (scheduler?.interval === 'step' && hasOpenLength(scheduler)) {
    throw refusal('scheduler', `is ${scheduler.name} with interval 'step' and the length of the run, whose steps nobody knows: give it a length (tMax, totalIters, totalSteps), or interval: epoch.`); // prettier-ignore
  }
}

function checkClosures(
  model: BaseModel,
  optimizers: Optimizers,
  training: ExperimentConfig['training'],
  ranks: Ranks,
): void {
  if (!model.automaticOptimization || !(optimizers[soleName] instanceof LBFGS)) return;
  const refusal = (setting: string, problem: string) =>
    settingProblem(['training', setting], `${problem}, but LBFGS computes the loss anew several times a step: change it, or take another optimizer.`); // prettier-ignore
  if (training.nonFiniteLoss === 'skip') throw refusal('nonFiniteLoss', "is 'skip'");
  if (training.accumulationSteps > 1) throw refusal('accumulationSteps', `is ${training.accumulationSteps}`);
  if (training.precision === 'float16') throw refusal('precision', "is 'float16', whose loss is scaled");
  if (ranks.worldSize > 1) throw refusal('optimizerName', 'several ranks train, which would not agree on its steps');
}

function configureOptimizers(model: BaseModel, training: ExperimentConfig['training']): Optimizers {
  const { optimizerName, learningRate, optimizerArgs } = training;
  if (Object.keys(optimizerArgs).length > 0) checkTakesOptions(model);
  const groups = training.parameterGroups.length === 0 ? [] : parameterGroups(model, training.parameterGroups);
  const configure = () => model.configureOptimizers(optimizerName, learningRate, optimizerArgs, groups);
  const optimizers = checkedOptimizers(called('configureOptimizers', configure), model);
  const made = Object.values(optimizers).flatMap(({ paramGroups }) => paramGroups);
  if (groups.every(({ params }) => made.some((own) => own.params[0] === params[0]))) return optimizers;
  throw settingProblem(
    ['training', 'parameterGroups'],
    "the model's own configureOptimizer makes other groups: let it take these as its fourth argument, or leave them out.",
  );
}

/** Options that the model's own method cannot get are refused, where its parameters say so plainly. */
function checkTakesOptions(model: BaseModel): void {
  const isBase = Reflect.get(model, 'configureOptimizers') === Reflect.get(BaseModel.prototype, 'configureOptimizers');
  const name = isBase ? 'configureOptimizer' : 'configureOptimizers';
  const text = String(Reflect.get(model, name));
  // Defaults, patterns and rest parameters may hold more than can be counted.
  const plain = /^[\w$\s]*\(([\w$\s,]*)\)\s*(=>|\{)/.exec(text)?.[1];
  if (plain === undefined || /\barguments\b/.test(text)) return;
  if (plain.split(',').filter((parameter) => parameter.trim() !== '').length >= 3) return;
  throw settingProblem(
    ['training', 'optimizerArgs'],
    `the model's own ${name} does not take them: let it take the options as its third argument, or leave them out.`,
  );
}

function restore(resumed: ResumedRun, model: BaseModel, optimizers: Optimizers): void {
  // Outside: an error of the model's own code is no fault of the checkpoint.
  scope(() => restoreModel(model, resumed.checkpoint));
  try {
    const { frozen } = resumed.checkpoint;
    for (const [name, parameter] of model.namedParameters()) parameter.requiresGrad = !frozen.includes(name);
    // Copied: it need not be held as long as the run goes on.
    resumed.checkpoint.model = {};
    resumeOptimizers(resumed, optimizers, model);
  } catch (cause) {
    if (cause instanceof AiforgeError) throw cause;
    throw new AiforgeError(
      'FILE_INVALID',
      `The checkpoint in ${resumed.directory} does not hold what a run writes: ${(cause as Error).message}. Use another one.`,
      { cause },
    );
  }
}

/** Gives the optimizers the checkpoint's state, and the learning rate that the resume asks for. */
export function resumeOptimizers({ checkpoint, changes }: ResumedRun, optimizers: Optimizers, model: BaseModel): void {
  const classes = (all: Readonly<Record<string, string>>) => Object.entries(all).map(([name, own]) => (name === soleName ? own : `${name}: ${own}`)).sort().join(', '); // prettier-ignore
  const saved = classes(Object.fromEntries(Object.entries(checkpoint.optimizers).map(([name, { className }]) => [name, className]))); // prettier-ignore
  const own = classes(Object.fromEntries(Object.entries(optimizers).map(([name, { constructor }]) => [name, constructor.name]))); // prettier-ignore
  if (saved !== own) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      `The run was trained with the optimizer ${saved} and cannot go on with ${own}.`,
    );
  }
  for (const [name, optimizer] of Object.entries(optimizers)) {
    restoreOptimizer(optimizer, checkpoint.optimizers[name]!, model);
    changeRate(optimizer, changes['training.learningRate']);
  }
}

/** Groups with rates of their own keep their share. */
function changeRate(optimizer: Optimizer, rate: Change | undefined): void {
  if (rate === undefined) return;
  const factor = Number(rate.to) / Number(rate.from);
  for (const group of optimizer.paramGroups) {
    group.lr = group.lr === rate.from ? Number(rate.to) : Number(group.lr) * factor;
  }
}

function readResumed(config: ExperimentConfig, plugins: ExperimentPlugins, ranks: Ranks): ResumedRun | undefined {
  const { resumeFrom } = config.training;
  if (resumeFrom === null) return undefined;
  const file = checkpointFile(resumeFrom);
  const checkpoint = forRanks(loadCheckpoint(file), ranks.worldSize, config.training);
  const directory = runDirectoryOf(file);
  const best = checkFolder(directory, file, checkpoint);
  checkpoint.state.kept = keptStill(runFiles(directory), checkpoint.state);
  checkSamePlugins(checkpoint, plugins);
  if (config.training.ddp.commHook === 'powerSGD' && ranks.worldSize > 1) {
    logger.warn('Gradients are compressed by powerSGD, whose state no checkpoint has: the run does not end with the bytes of one that never stopped'); // prettier-ignore
  }
  const changes = changesOf(checkpoint.config, resolvedConfig(config, plugins, directory), checkpoint.state);
  return { directory, file, checkpoint, best, changes };
}

/** What the run needs beside its checkpoint, at the latest at its end, is there and as it was written. */
function checkFolder(directory: string, file: string, checkpoint: Checkpoint): BestWeights {
  const { state } = checkpoint;
  const files = runFiles(directory);
  const isAlone = state.best !== null && !existsSync(files.best) && !existsSync(files.checkpoints);
  const needed = [files.config, ...(isAlone ? [files.best] : [])];
  const missing = needed.filter((name) => !existsSync(name)).map((name) => path.basename(name));
  if (missing.length === 0) {
    checkFile(files.preprocessor, checkpoint.preprocessor);
    return findBestWeights(files, checkpoint);
  }
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `${file} cannot be resumed from alone: ${missing.join(' and ')} of its run's folder ${missing.length > 1 ? 'are' : 'is'} not beside it. Resume from the run's folder, or copy the whole folder.`,
  );
}

function checkSamePlugins({ plugins: own }: Checkpoint, plugins: ExperimentPlugins): void {
  for (const kind of ['model', 'dataset'] as const) {
    if (own[kind] === plugins[kind].name) continue;
    throw new AiforgeError(
      'CONFIG_INVALID',
      `The run was made with the plugin '${own[kind]}' as ${kind}Plugin and cannot be resumed with '${plugins[kind].name}'.`,
    );
  }
}

/** Records the ranks that there are. Throws CONFIG_INVALID for a configuration that asks for others. */
function withRanks(config: ExperimentConfig, { worldSize }: Ranks): ExperimentConfig {
  const { training } = config;
  const resumes = training.resumeFrom !== null;
  if (!resumes && training.worldSize !== 1 && training.worldSize !== worldSize) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      `training.worldSize is ${training.worldSize}, but ${worldSize === 1 ? 'this process trains alone' : `${worldSize} ranks take part`}: ` +
        `leave it out, and start with npx aiforge-launch --nproc ${training.worldSize}.`,
    );
  }
  if (!resumes && training.useDistributed && worldSize === 1 && launchedEnvironment().RANK === undefined) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      'training.useDistributed is true, but this process trains alone: start it with npx aiforge-launch --nproc 2, or leave it out.',
    );
  }
  const localRank = Number(launchedEnvironment().LOCAL_RANK ?? 0);
  if (!resumes && training.localRank !== 0 && training.localRank !== localRank) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      `training.localRank is ${training.localRank}, but this is process ${localRank} of its machine: leave it out, since the launcher says it.`,
    );
  }
  return { ...config, training: { ...training, useDistributed: worldSize > 1, localRank, worldSize } };
}
