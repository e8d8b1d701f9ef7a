import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { checkSettings, readSettings, type Settings } from '../../config/settings.js';
import { placed, withSourceOf } from '../../config/source.js';
import { AiforgeError } from '../../errors.js';
import { anything, string, type Kind } from '../../kinds.js';
import { launchedEnvironment } from '../../slurm.js';
import { LBFGS, type Optimizer } from '../../optim/index.js';
import { onlyOptimizer } from '../training/optimization/optimizers.js';
import { signature } from '../../signature.js';
import { manualSeed, setNumThreads, type Device } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import { checkedConfig } from '../container.js';
import { frozenCopy } from '../copies.js';
import { deviceOf, onDevice } from '../devices.js';
import { randomState, restoreRandomState } from '../randomState.js';
import { singleProcess } from '../ranks.js';
import { prepareData, type ExperimentData } from '../runs/experiment.js';
import { planRun, type RunPlan } from '../runs/plan.js';
import { runFiles } from '../runs/runDirectory.js';
import { limitSplits } from '../training/limits.js';
import { whileUnderWay } from '../training/measuring/runsUnderWay.js';

export interface PrepareExperimentOptions {
  /** As of an Orchestrator. Default: the working directory. */
  from?: string;
  /** As of an Orchestrator. Default: those of the environment. */
  settings?: Settings;
  /** Aborting it is what `loadData` gets as its signal. Default: none. */
  signal?: AbortSignal;
}

const prepareTakes = signature<PrepareExperimentOptions>(
  { config: anything },
  { from: string, settings: anything as Kind<Settings>, signal: anything as Kind<AbortSignal> },
);

/** The model, the optimizer and the data of an experiment as a run begins with them; nothing was written for it. */
export class PreparedExperiment {
  readonly #plan: RunPlan;
  readonly #data: ExperimentData;

  /** @internal */
  constructor(plan: RunPlan, data: ExperimentData) {
    this.#plan = plan;
    this.#data = data;
  }

  /** With the defaults of the model. */
  get config(): ExperimentConfig {
    return this.#plan.config;
  }

  get model(): BaseModel {
    return this.#plan.model;
  }

  /** The optimizer that the framework steps. Throws PLUGIN_INVALID for a model that steps its own, and for LBFGS. */
  get optimizer(): Optimizer {
    const { optimizer } = onlyOptimizer(this.#plan.optimizers);
    if (this.#plan.model.automaticOptimization && !(optimizer instanceof LBFGS)) return optimizer;
    throw new AiforgeError(
      'PLUGIN_INVALID',
      'Finding a learning rate or a batch size takes plain steps of one optimizer, and this model steps its optimizers itself, or ' +
        'has an LBFGS: try values with `aiforge sweep`.',
    );
  }

  /** Where the model is. */
  get device(): Device {
    return this.#plan.device;
  }

  /** How many samples there are to train on. */
  get trainSamples(): number {
    return this.#data.splits.train.length;
  }

  /** @internal */
  get data(): ExperimentData {
    return this.#data;
  }
}

/**
 * Makes model, loss, optimizer and data of an experiment as a run does, without a run's folder and without trackers: for
 * `lrFind` and `batchSizeFind`, or to look at them. The random state is afterwards the one with which the run would train.
 *
 * @throws AiforgeError for what a run would refuse before it trains, and TRAINING_FAILED among several ranks.
 * @example
 * import { loadExperimentConfig, prepareExperiment } from 'aiforge';
 * const experiment = await prepareExperiment(loadExperimentConfig('experiments/simple_nn.yaml'));
 * experiment.trainSamples;
 */
export async function prepareExperiment(
  config: ExperimentConfig,
  options: PrepareExperimentOptions = {},
): Promise<PreparedExperiment> {
  prepareTakes.check('prepareExperiment', arguments);
  if (options.settings !== undefined) checkSettings(options.settings);
  if (Number(launchedEnvironment().WORLD_SIZE ?? 1) > 1) {
    throw new AiforgeError(
      'TRAINING_FAILED',
      `prepareExperiment works in one process, and this is one of ${launchedEnvironment().WORLD_SIZE}: start it without aiforge-launch.`,
    );
  }
  const given = withSourceOf(config, frozenCopy(checkedConfig(config)));
  const device = placed(given, () => deviceOf(given.training.device));
  return onDevice(device, () => prepare(given, device, options));
}

async function prepare(
  given: ExperimentConfig,
  device: Device,
  { from = process.cwd(), settings = readSettings(), signal = new AbortController().signal }: PrepareExperimentOptions,
): Promise<PreparedExperiment> {
  if (given.training.numThreads !== null) setNumThreads(given.training.numThreads);
  const plan = planRun(given, from, singleProcess, device);
  const { config, plugins, resumed, rng } = plan;
  manualSeed(config.training.seed);
  const context = { ranks: singleProcess, dataDir: settings.DATA_DIR, signal };
  const prepared = await prepareData(config, plugins, context, resumed && runFiles(resumed.directory).preprocessor);
  restoreRandomState(rng, device);
  return new PreparedExperiment(plan, { ...prepared, splits: limitSplits(prepared.splits, config.training, 1) });
}

/** Runs the work of a finder on the experiment's device; its random state is as it was before, however it ends. */
export async function onExperiment<T>({ device, model }: PreparedExperiment, work: () => Promise<T>): Promise<T> {
  return onDevice(device, async () => {
    const before = randomState(device);
    try {
      return await whileUnderWay(model, work);
    } finally {
      restoreRandomState(before, device);
    }
  });
}
