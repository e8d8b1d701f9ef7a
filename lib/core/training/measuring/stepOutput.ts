import { didYouMean } from '../../../nearest.js';
import { AiforgeError } from '../../../errors.js';
import { show } from '../../../show.js';
import { isOptions } from '../../../signature.js';
import { Tensor } from '../../../tensor/index.js';
import type { BaseModel, StepOutput } from '../../baseModel.js';
import { checkRecorded, nameProblem, type LogEntries } from './logbook.js';
import { measured, type Measured } from './runningSum.js';

/** What a plugin's step gave, checked. */
export interface Step {
  loss: Tensor;
  /** What the loss is. */
  value: Measured;
  /** Those of the batch on this rank. */
  samples: number;
  /** How much the batch counts: its samples, or what the step says. */
  weight: number;
  /** Whether the step said it. */
  isWeighted: boolean;
  /** What it measures beside the loss: what it returned, and what it logged. */
  logged: LogEntries;
  predictions: Tensor | undefined;
  targets: Tensor | undefined;
}

export type StepName = 'trainingStep' | 'validationStep';

const asReturned = { onStep: false, onEpoch: true, progressBar: false, reduce: 'mean' } as const;

const known = ['loss', 'predictions', 'targets', 'weight', 'metrics'] as const;
/** Reads what a step gave for a batch of `samples` samples. Throws PLUGIN_INVALID where it is not a {@link StepOutput}. */
export function readStep(
  { output, logged }: { output: unknown; logged: LogEntries },
  name: StepName,
  batch: unknown,
  samples: number,
  model: Pick<BaseModel, 'automaticOptimization'>,
): Step {
  if (typeof output !== 'object' || output === null || Tensor.isTensor(output)) {
    refuse(name, `must return { loss }, got ${describe(output)}`);
  }
  for (const key of Object.keys(output)) {
    if ((known as readonly string[]).includes(key)) continue;
    refuse(
      name,
      `returned the unknown '${key}'.${didYouMean(key, known)} Known are ${known.join(', ')}; values of your own go into metrics: { ${key} }`,
    );
  }
  const { loss, predictions, targets, weight, metrics } = output as StepOutput;
  if (metrics !== undefined) Object.assign(logged, metricsOf(name, metrics, logged, model));
  const step = {
    loss: lossOf(name, loss, name === 'trainingStep' && model.automaticOptimization),
    value: measured(loss),
    samples,
    weight: weight === undefined ? samples : weightOf(name, weight),
    isWeighted: weight !== undefined,
    logged,
    predictions: tensorOf(name, 'predictions', predictions),
    targets: tensorOf(name, 'targets', targets) ?? targetsOf(batch),
  };
  if (step.predictions !== undefined) checkPredictions(name, step.predictions, step.targets, samples);
  if (!(step.weight >= 0)) refuse(name, `returned the weight ${step.weight}; expected 0 or more`);
  return step;
}

function lossOf(name: StepName, loss: unknown, isLearntFrom: boolean): Tensor {
  if (!Tensor.isTensor(loss) || loss.numel() !== 1) {
    refuse(name, `must return { loss } with a single element, got ${describe(loss)}`);
  }
  if (isLearntFrom && !loss.requiresGrad) {
    refuse(name, 'returned a loss that no parameter takes part in: it was detached, or computed without gradients');
  }
  return loss;
}

function tensorOf(name: StepName, field: string, value: unknown): Tensor | undefined {
  if (value === undefined || Tensor.isTensor(value)) return value;
  return refuse(name, `returned ${field} that are no tensor but ${describe(value)}`);
}

/** Predictions that no score can be made of, though there are classes to predict, would go without one silently. */
function checkPredictions(name: StepName, predictions: Tensor, targets: Tensor | undefined, samples: number): void {
  const rows = predictions.ndim === 0 ? undefined : predictions.size(0);
  const known = targets === undefined || targets.ndim === 0 ? samples : targets.size(0);
  if (rows === undefined || (rows !== samples && rows !== known)) {
    refuse(
      name,
      `returned predictions of shape [${predictions.shape.join(', ')}] for a batch of ${known}; expected a row for each sample`,
    );
  }
  const isOfClasses = targets?.ndim === 1 && targets.dtype === 'int64';
  if (isOfClasses && predictions.ndim === 2 && targets.size(0) !== rows) {
    refuse(name, `returned predictions of ${rows} samples and targets of ${targets.size(0)}; expected as many of both`);
  }
  if (isOfClasses && predictions.ndim === 1 && !predictions.isFloatingPoint()) {
    refuse(
      name,
      'returned classes as predictions; expected the logits, (batch, classes): leave argmax to the framework',
    );
  }
}

function metricsOf(name: StepName, metrics: unknown, logged: LogEntries, model: object): LogEntries {
  if (!isOptions(metrics)) {
    refuse(name, `returned metrics that are no object but ${describe(metrics)}; expected { name: value }`);
  }
  return Object.fromEntries(
    Object.entries(metrics).map(([key, value]) => {
      const problem = nameProblem(key);
      if (problem !== undefined) refuse(name, `returned a metric ${problem}`);
      if (Object.hasOwn(logged, key))
        refuse(name, `returned a metric '${key}', which it has logged too: do one of both`);
      if (name === 'trainingStep') checkRecorded(model, 'metrics', key, asReturned);
      return [key, { value: measuredOf(name, `metrics.${key}`, value), ...asReturned }];
    }),
  );
}

/** The window of a step needs it at once, also of a GPU. */
function weightOf(name: StepName, value: unknown): number {
  const weight = measuredOf(name, 'weight', value);
  return Tensor.isTensor(weight) ? Number(weight.item()) : weight;
}

function measuredOf(name: StepName, field: string, value: unknown): Measured {
  if (typeof value === 'number') return value;
  if (Tensor.isTensor(value) && value.numel() === 1) return measured(value);
  return refuse(name, `returned ${field} as ${describe(value)}; expected a number or a tensor of one element`);
}

function targetsOf(batch: unknown): Tensor | undefined {
  const { labels, targets } = (batch ?? {}) as { labels?: unknown; targets?: unknown };
  return [labels, targets].find(Tensor.isTensor);
}

function describe(value: unknown): string {
  return Tensor.isTensor(value) ? `a tensor of shape [${value.shape.join(', ')}]` : show(value);
}

function refuse(name: StepName, problem: string): never {
  throw new AiforgeError('PLUGIN_INVALID', `${name} ${problem}.`);
}
