import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { placed } from '../../config/source.js';
import { noGrad } from '../../autograd/index.js';
import { DataLoader, type Dataset } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { isMap, isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { keep, manualSeed, scope, Tensor } from '../../tensor/index.js';
import { tensorsIn } from '../../tensor/memory/scope.js';
import { Callbacks } from '../callbacks/callbacks.js';
import { deviceOf, onDevice } from '../devices.js';
import { called } from '../plugins/calls.js';
import { singleProcess } from '../ranks.js';
import { logging } from '../training/measuring/logbook.js';
import { drive } from '../training/drive.js';
import { NonFinite } from '../training/optimization/nonFinite.js';
import { Optimization } from '../training/optimization/optimization.js';
import { StepMeasures } from '../training/measuring/stepMeasures.js';
import { Schedules } from '../training/optimization/scheduling.js';
import { limitSplits } from '../training/limits.js';
import { Placement } from '../training/placement.js';
import { Precision } from '../training/optimization/precision.js';
import { whileUnderWay } from '../training/measuring/runsUnderWay.js';
import { readStep, type Step } from '../training/measuring/stepOutput.js';
import { initialState } from './beginning.js';
import { prepareData, type ExperimentData } from './experiment.js';
import { planRun, type RunPlan } from './plan.js';

/** What trying an experiment showed. */
export interface TriedExperiment {
  /** The folders of the plugins that took part; undefined for one that was registered in code. */
  directories: { model: string | undefined; dataset: string | undefined };
  /** Numbers that the model has, and how many of them learn. */
  parameters: { all: number; trainable: number };
  samples: { train: number; val: number; test: number };
  /** What is in a batch: the shape and dtype of each tensor by its name, and what else there is. */
  batch: Record<string, string>;
  trainLoss: number;
  /** Null where there is nothing to validate on. */
  valLoss: number | null;
}

export interface TryOptions {
  /** The folder of the configuration file. */
  from: string;
  dataDir: string;
  signal: AbortSignal;
}

/**
 * Makes an experiment's model, reads its data, and does one step of training and one of validation, on one batch each. No run's
 * folder is made, and nothing is recorded; a data set that makes its own file does so. Throws what a run would.
 */
export async function tryExperiment(config: ExperimentConfig, options: TryOptions): Promise<TriedExperiment> {
  if (config.training.resumeFrom !== null) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      'training.resumeFrom is set, and trying an experiment begins anew: leave it out.',
    );
  }
  const device = placed(config, () => deviceOf(config.training.device));
  return onDevice(device, async () => {
    const plan = planRun(config, options.from, singleProcess, device);
    manualSeed(plan.config.training.seed);
    const context = { ranks: singleProcess, dataDir: options.dataDir, signal: options.signal };
    const data = await prepareData(plan.config, plan.plugins, context, undefined);
    const splits = limitSplits(data.splits, plan.config.training, 1);
    return scope(() => whileUnderWay(plan.model, () => steps(plan, { ...data, splits })));
  });
}

async function steps(plan: RunPlan, data: ExperimentData): Promise<TriedExperiment> {
  const { model, config, device, plugins } = plan;
  const { splits, samples, trainSamples } = data;
  const { training } = config;
  if (splits.train.length === 0) throw new AiforgeError('CONFIG_INVALID', 'There are no samples to train on.');
  const placement = new Placement(model, device, false);
  const precision = new Precision(training.precision, device);
  let batch: unknown;
  let trainLoss = NaN;
  const optimization = await optimizationOf(plan, data, precision, ({ value }) => (trainLoss = Number(Tensor.isTensor(value) ? value.item() : value))); // prettier-ignore
  const batchOf = async (of: Dataset, indices: readonly number[]): Promise<unknown> => {
    const loader = new DataLoader(of, { batchSize: training.batchSize, sampler: indices });
    return placement.move((await loader[Symbol.asyncIterator]().next()).value);
  };
  const first = splits.train.slice(0, training.batchSize);
  model.train();
  const loaded = await batchOf(trainSamples, first);
  const load = () => (batch = keepBatch(loaded));
  await drive(optimization.train({ load, samples: first.length, batches: 1 }));
  model.eval();
  const validated = splits.val.slice(0, training.batchSize);
  const given = (validated.length === 0 ? {} : await batchOf(samples, validated)) as Record<string, Tensor>;
  const validate = () => {
    const step = () => called('validationStep', () => model.validationStep(given, 0));
    return Number(readStep(precision.run(() => logging(model, step)), 'validationStep', given, validated.length, model).loss.item()); // prettier-ignore
  };
  const valLoss = validated.length === 0 ? null : noGrad(validate);
  const sizes = [...model.parameters()].map((parameter) => [parameter.numel(), parameter.requiresGrad] as const);
  return {
    directories: { model: plugins.model.directory, dataset: plugins.dataset.directory },
    parameters: {
      all: sizes.reduce((sum, [size]) => sum + size, 0),
      trainable: sizes.reduce((sum, [size, learns]) => sum + (learns ? size : 0), 0),
    },
    samples: { train: splits.train.length, val: splits.val.length, test: splits.test.length },
    batch: describeBatch(batch),
    trainLoss,
    valLoss,
  };
}

async function optimizationOf(
  { model, optimizers, config, device }: RunPlan,
  data: ExperimentData,
  precision: Precision,
  onBatch: (step: Step) => void,
): Promise<Optimization> {
  const { training } = config;
  const state = initialState(1, data);
  return new Optimization({
    ...{ training, model, optimizers, precision, state, onBatch, ranks: singleProcess },
    schedules: new Schedules(model, optimizers, training, { epochs: training.epochs, stepsPerEpoch: 1 }),
    parallel: await singleProcess.parallelize(model),
    callbacks: new Callbacks([]),
    nonFinite: new NonFinite({ training, model, state, device }),
    averaging: null,
    measures: new StepMeasures({ logStepMetrics: false }, 1, device),
    isOnDevice: device !== 'cpu',
    onStep: () => undefined,
  });
}

/** A batch that outlives its step. */
function keepBatch(batch: unknown): unknown {
  tensorsIn(batch).forEach(keep);
  return batch;
}

function describeBatch(batch: unknown): Record<string, string> {
  const entries = isPlainObject(batch)
    ? Object.entries(batch)
    : isMap(batch)
      ? [...batch].map(([key, value]): [string, unknown] => [String(key), value])
      : Array.isArray(batch)
        ? batch.map((value, index): [string, unknown] => [String(index), value])
        : [['batch', batch] as [string, unknown]];
  return Object.fromEntries(entries.map(([name, value]) => [name, describe(value)]));
}

function describe(value: unknown): string {
  return Tensor.isTensor(value) ? `${value.dtype}[${value.shape.join(', ')}]` : show(value);
}
