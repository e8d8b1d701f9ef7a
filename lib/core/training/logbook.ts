import { AiforgeError } from '../../errors.js';
import { boolean, either, kind, number, oneOf } from '../../kinds.js';
import { show } from '../../show.js';
import { Metric } from '../../metrics/index.js';
import type { Module } from '../../nn/index.js';
import { signature } from '../../signature.js';
import { Tensor } from '../../tensor/index.js';
import { propertyOf, type AnyMetric, type LoggedMetric } from './loggedMetrics.js';
import { reductions, type Reduce } from './measures.js';
import { measured, type Measured } from './runningSum.js';

/** When and how a value that a step logs is recorded. */
export interface LogOptions {
  /** As it is, with each step of the optimizer: `train_NAME_step`. In training alone. Default: false. */
  onStep?: boolean;
  /** Over all batches of the epoch: `train_NAME`, `val_NAME`, `test_NAME`. Default: true. */
  onEpoch?: boolean;
  /** Beside the loss where progress is shown. In training alone. Default: false. */
  progressBar?: boolean;
  /** How an epoch's values become one; a mean is weighted as the loss is. Default: `'mean'`. */
  reduce?: Reduce;
}

/** A value that a step logged: its own, or a metric that goes on over the epoch. */
export interface LogEntry extends Required<LogOptions> {
  value: Measured | LoggedMetric;
}

/** What a step may log. */
export type Loggable = number | Tensor | AnyMetric;

export type LogEntries = Record<string, LogEntry>;

/** What the framework itself makes of a step. */
const reserved = ['loss', 'accuracy', 'f1'];
/** They are recorded under it, in files and by servers of which some take no more. */
const metricName = /^[A-Za-z][\w.-]*(\/[\w.-]*\w)*$/;

/** What is wrong with a name to record a value by; undefined where nothing is. */
export function nameProblem(name: string): string | undefined {
  if (reserved.includes(name)) return `'${name}', which the framework computes: rename it`;
  if (metricName.test(name)) return undefined;
  return `${show(name)}; expected a name of letters, digits and _ . - / that begins with a letter`;
}

const single = kind<Tensor>('a tensor of one element', (value) => Tensor.isTensor(value) && value.numel() === 1);
// NaN is a value too, which whoever looks at the metric should see.
const anyNumber = kind<number>(number.expected, (value) => typeof value === 'number');
const metricKind = kind<AnyMetric>('a Metric', (value) => value instanceof Metric);
const takes = signature<LogOptions>(
  {
    name: kind('a string', (value) => typeof value === 'string'),
    value: either(anyNumber, either(single, metricKind)),
  },
  { onStep: boolean, onEpoch: boolean, progressBar: boolean, reduce: oneOf(...reductions) },
);

/** Whether a logged value is a metric. */
export const isLoggedMetric = (value: Measured | LoggedMetric): value is LoggedMetric =>
  typeof value === 'object' && 'metric' in value;

const open = new WeakMap<object, LogEntries>();

/** Runs a step of a model; what it logs meanwhile comes with what it gives. */
export function logging<T>(model: object, step: () => T): { output: T; logged: LogEntries } {
  const logged: LogEntries = {};
  open.set(model, logged);
  try {
    return { output: step(), logged };
  } finally {
    open.delete(model);
  }
}

/** Takes what a model logs; outside the steps of a run, where nobody records it, it is checked alone. */
export function log(model: Module, given: [name: string, value: Loggable, options?: LogOptions]): void {
  takes.check('log', given);
  const [name, value, { onStep = false, onEpoch = true, progressBar = false, reduce = 'mean' } = {}] = given;
  const problem = nameProblem(name) ?? (onStep || onEpoch || progressBar ? undefined : `'${name}' nowhere: onStep, onEpoch and progressBar are false`); // prettier-ignore
  if (problem !== undefined) throw new AiforgeError('PLUGIN_INVALID', `log was given ${problem}.`);
  const entries = open.get(model);
  if (entries === undefined) return;
  if (Object.hasOwn(entries, name)) {
    throw new AiforgeError('PLUGIN_INVALID', `log was given '${name}' twice in one step: log it once, or under two names.`); // prettier-ignore
  }
  const options = { onStep, onEpoch, progressBar, reduce };
  if (!(value instanceof Metric)) {
    entries[name] = { value: Tensor.isTensor(value) ? measured(value) : value, ...options };
  } else if (onEpoch && !onStep && !progressBar && given[2]?.reduce === undefined) {
    entries[name] = { value: { metric: value, property: propertyOf(model, value, name) }, ...options };
  } else {
    throw new AiforgeError('PLUGIN_INVALID', `log was given '${name}', a metric, with other options than onEpoch: it is recorded for the epoch, as it computes itself. Log its value for a step.`); // prettier-ignore
  }
}
