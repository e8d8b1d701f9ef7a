import path from 'node:path';

import type { ExperimentConfig } from '../config/experimentConfig.js';
import { ExperimentConfig as ExperimentSchema } from '../config/experimentConfig.js';
import { loadExperimentConfig } from '../config/load.js';
import { isPath } from '../config/paths.js';
import { keysAt, textAt } from '../config/schemaShape.js';
import { directionOf } from '../config/monitorMode.js';
import { settingCalled } from '../config/settingNames.js';
import { placed } from '../config/source.js';
import { unknownKey } from '../config/validate.js';
import { hasOpenLength } from '../core/runs/changes.js';
import { checkMonitors } from '../core/training/earlyStopping.js';
import { resolvePlugins, type ExperimentPlugins } from '../core/runs/experiment.js';
import { availableCores } from '../cores.js';
import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { rungsOf, type Rung } from './rungs.js';
import type { SweepFile } from './sweepConfig.js';
import { trialsOf, type TrialSettings } from './trials.js';

/** All that is known of a sweep before anything of it starts. */
export interface SweepPlan {
  /** The absolute paths of the sweep's file and of the experiment's. */
  file: string;
  experiment: string;
  method: string;
  metric: string;
  mode: 'min' | 'max';
  /** Trials at a time, and the threads of each. */
  parallel: number;
  threads: number;
  trials: TrialSettings[];
  rungs: Rung[];
  /** What decides which trials there are and what becomes of them: a sweep can only go on with the same. */
  identity: Record<string, unknown>;
}

/** What of the command line comes before the file. */
export interface SweepFlags {
  parallel?: number | undefined;
}

/**
 * Checks a sweep as far as it can be without training: settings, each trial's configuration with the schema of the model's
 * plugin, duplicates, the metric, and the cores. Throws CONFIG_INVALID, FILE_NOT_FOUND, PLUGIN_NOT_FOUND or PLUGIN_INVALID.
 */
export function planSweep(sweep: SweepFile, flags: SweepFlags = {}): SweepPlan {
  const { file, config } = sweep;
  const experiment = path.resolve(path.dirname(file), config.experiment);
  const base = loadExperimentConfig(experiment);
  const from = path.dirname(experiment);
  const plugins = placed(base, () => resolvePlugins(base, from));
  checkBase(sweep, base);
  for (const name of Object.keys(config.parameters)) checkSetting(sweep, name, plugins);
  const trials = trialsOf(config);
  checkTrials(sweep, experiment, trials);
  const { metric, mode } = comparison(sweep, base);
  return {
    file,
    experiment,
    method: config.method,
    metric,
    mode,
    ...coresOf(sweep, base, flags),
    trials,
    rungs: rungsOf(config, trials.length),
    identity: identityOf(sweep, withRelativePaths(base, from), { metric, mode }),
  };
}

function refusal({ locate }: SweepFile, keys: readonly string[], problem: string): AiforgeError {
  return new AiforgeError('CONFIG_INVALID', `${keys.join('.')} (${locate(keys)}): ${problem}`);
}

function checkBase(sweep: SweepFile, { training }: ExperimentConfig): void {
  const refuse = (problem: string) => refusal(sweep, ['experiment'], problem);
  if (training.resumeFrom !== null)
    throw refuse('its training.resumeFrom is set; each trial is a run of its own: leave it out.');
  if (training.useDistributed || training.worldSize > 1)
    throw refuse('it trains on several processes; a trial is one: leave training.useDistributed and worldSize out.');
  if (sweep.config.method !== 'halving') return;
  if (!training.checkpoint.keepLast)
    throw refuse('its training.checkpoint.keepLast is false; halving goes on from the last checkpoint: leave it out.');
  if (hasOpenLength(training.scheduler)) {
    throw refuse(
      'the length of its training.scheduler is that of the run, which halving makes longer; give the schedule a length of its own.',
    );
  }
}

/** What the sweep itself sets, and what each run has for itself. */
function reserved(name: string, method: string): string | undefined {
  if (name === 'training.numThreads') return 'threadsPerTrial of the sweep sets it.';
  if (name === 'training.resumeFrom') return 'each trial is a run of its own, which goes on by itself.';
  if (/^training\.(useDistributed|localRank|worldSize)$/.test(name)) return 'a trial is one process.';
  if (method !== 'halving') return undefined;
  if (name === 'training.epochs') return 'halving sets it, from minEpochs to maxEpochs.';
  if (/^training\.(checkpoint|scheduler)\b/.test(name)) return 'a trial of halving has the one of the experiment.';
  return undefined;
}

function checkSetting(sweep: SweepFile, name: string, { model }: ExperimentPlugins): void {
  const keys = name.split('.');
  const refuse = (problem: string) => refusal(sweep, ['parameters', name], problem);
  const isWhole = keys.length === 1 && ['model', 'training', 'datasetArgs', 'preprocessArgs'].includes(name);
  if (isWhole)
    throw refuse(
      `it is a group of settings; give one of them, such as ${name}.${name === 'training' ? 'learningRate' : '…'}`,
    );
  const taken = reserved(name, sweep.config.method);
  if (taken !== undefined) throw refuse(`it cannot be varied: ${taken}`);
  keys.forEach((key, index) => {
    const isOfModel = index > 0 && keys[0] === 'model' && model.Config !== undefined;
    const parent = keys.slice(isOfModel ? 1 : 0, index);
    const known = keysAt(isOfModel ? model.Config! : ExperimentSchema, parent);
    if (known === undefined || known.includes(key)) return;
    const elsewhere = index === 0 ? settingCalled(key) : undefined;
    throw refuse(elsewhere === undefined ? unknownKey(key, known) : `unknown option, did you mean '${elsewhere}'?`);
  });
}

const mayBePath = ['modelPlugin', 'datasetPlugin', 'dataPath'];

/** Settings as `aiforge train` takes them. Paths are relative to the sweep's file, as in an experiment they are to the experiment's. */
export function overridesOf(settings: TrialSettings, sweepFile: string): string[] {
  return Object.entries(settings).map(([name, value]) => {
    const isText = textAt(ExperimentSchema, name.split('.')) !== undefined;
    if (!isText || typeof value !== 'string') return `${name}=${JSON.stringify(value)}`;
    return `${name}=${mayBePath.includes(name) && isPath(value) ? path.resolve(path.dirname(sweepFile), value) : value}`;
  });
}

/** Each trial's configuration is one that a run would take, and no two are the same. */
function checkTrials(sweep: SweepFile, experiment: string, trials: readonly TrialSettings[]): void {
  const seen = new Map<string, number>();
  trials.forEach((settings, index) => {
    const resolved = JSON.stringify(resolve(sweep, experiment, settings, index + 1));
    const first = seen.get(resolved);
    if (first !== undefined) {
      throw refusal(
        sweep,
        ['parameters'],
        `trials ${first} and ${index + 1} are the same configuration, ${overridesOf(settings, sweep.file).join(' ')}: give each value once.`,
      );
    }
    seen.set(resolved, index + 1);
  });
}

function resolve(sweep: SweepFile, experiment: string, settings: TrialSettings, number: number): object {
  try {
    const config = loadExperimentConfig(experiment, overridesOf(settings, sweep.file));
    const { modelConfig } = placed(config, () => {
      checkMonitors(config.training);
      return resolvePlugins(config, path.dirname(experiment));
    });
    return { ...config, model: modelConfig };
  } catch (error) {
    if (!(error instanceof AiforgeError)) throw error;
    const shown = path.relative(process.cwd(), sweep.file);
    throw new AiforgeError(error.code, `${shown}: trial ${number} cannot run: ${error.message}`, { cause: error });
  }
}

function comparison(sweep: SweepFile, { training }: ExperimentConfig): { metric: string; mode: 'min' | 'max' } {
  const { metric = training.earlyStoppingMonitor, mode } = sweep.config;
  if (!/^(train|val|test)_./.test(metric)) {
    const names = ['train_loss', 'val_loss', 'test_loss', 'val_accuracy', 'val_f1'];
    throw refusal(
      sweep,
      ['metric'],
      `there is no metric '${metric}'.${didYouMean(metric, names)} Metrics begin with train_, val_ or test_.`,
    );
  }
  const own = (metric === training.earlyStoppingMonitor ? training.earlyStoppingMode : null) ?? directionOf(metric);
  if (mode === undefined && own === undefined) {
    throw refusal(
      sweep,
      ['metric'],
      `'${metric}' does not say which of its values are better: say it by mode: min or mode: max.`,
    );
  }
  return { metric, mode: mode ?? own! };
}

/** Processes times threads are never more than the cores of this process. */
function coresOf(
  sweep: SweepFile,
  { training }: ExperimentConfig,
  flags: SweepFlags,
): { parallel: number; threads: number } {
  const cores = availableCores();
  const { threadsPerTrial } = sweep.config;
  const { numThreads } = training;
  if (threadsPerTrial !== undefined && numThreads !== null && numThreads !== threadsPerTrial) {
    throw refusal(
      sweep,
      ['threadsPerTrial'],
      `it is ${threadsPerTrial}, and training.numThreads of the experiment is ${numThreads}: leave one of them out.`,
    );
  }
  const threads = threadsPerTrial ?? numThreads ?? 1;
  const parallel = flags.parallel ?? sweep.config.parallel ?? Math.max(1, Math.floor(cores / threads));
  if (parallel * threads <= cores) return { parallel, threads };
  throw refusal(
    sweep,
    [flags.parallel !== undefined || sweep.config.parallel !== undefined ? 'parallel' : 'threadsPerTrial'],
    `${parallel} ${parallel === 1 ? 'trial' : 'trials'} at a time with ${threads} ${threads === 1 ? 'thread' : 'threads'} each need ` +
      `${parallel * threads} cores, and there are ${cores}: give smaller numbers, here or by --parallel.`,
  );
}

/** A sweep may be moved together with what it is of. */
function withRelativePaths(base: ExperimentConfig, from: string): ExperimentConfig {
  const relative = (given: string) => (isPath(given) ? path.relative(from, given) : given);
  const { modelPlugin, datasetPlugin, dataPath } = base;
  return {
    ...base,
    modelPlugin: relative(modelPlugin),
    datasetPlugin: relative(datasetPlugin),
    dataPath: relative(dataPath),
  };
}

function identityOf({ config }: SweepFile, base: ExperimentConfig, comparedBy: object): Record<string, unknown> {
  const { parallel: _parallel, threadsPerTrial: _threads, experiment: _file, ...rest } = config;
  // Where a trial trains, and with how many threads, may be otherwise another time.
  const { numThreads: _numThreads, device: _device, pinMemory: _pinMemory, numWorkers: _numWorkers, prefetchFactor: _prefetchFactor, ...training } = base.training; // prettier-ignore
  const sweep = rest.method === 'random' ? { ...rest, trials: undefined } : rest;
  const plain: unknown = JSON.parse(
    JSON.stringify({ sweep: { ...sweep, ...comparedBy }, experiment: { ...base, training } }),
  );
  return plain as Record<string, unknown>;
}
