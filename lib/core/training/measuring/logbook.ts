import { isRecomputing } from '../../../autograd/checkpoint/recomputing.js';
import { AiforgeError } from '../../../errors.js';
import { boolean, either, kind, number, oneOf, string } from '../../../kinds.js';
import { show } from '../../../show.js';
import { isPlainObject } from '../../../realms.js';
import { Metric, MetricCollection } from '../../../metrics/index.js';
import type { Module } from '../../../nn/index.js';
import { signature } from '../../../signature.js';
import { Tensor } from '../../../tensor/index.js';
import { histogramKind, histogramOf } from '../../../tracking/histogram.js';
import { imageKind, imageOf } from '../../../tracking/image.js';
import { warnOnce } from '../../../warnOnce.js';
import { propertyOf, type AnyMetric, type LoggedMetric } from './loggedMetrics.js';
import { reductions, type Reduce } from './measures.js';
import type { Recorder } from './recorder.js';
import { measured, type Measured } from './runningSum.js';
import { isUnderWay } from './runsUnderWay.js';

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
const value = either(anyNumber, either(single, metricKind));
const optionKinds = { onStep: boolean, onEpoch: boolean, progressBar: boolean, reduce: oneOf(...reductions) };
const takes = signature<LogOptions>({ name: string, value }, optionKinds);
const record = kind<Record<string, Loggable>>(
  `an object of names and values, each ${value.expected}`,
  (given) => isPlainObject(given) && Object.values(given).every((each) => value.accepts(each)),
);
const takesDict = signature<LogOptions>({ record }, optionKinds);
const takesText = signature({ name: string, text: string });
const takesImage = signature({ name: string, tensor: imageKind });
const takesHistogram = signature({ name: string, tensor: histogramKind });

/** Whether a logged value is a metric. */
export const isLoggedMetric = (value: Measured | LoggedMetric): value is LoggedMetric =>
  typeof value === 'object' && 'metric' in value;

/** What a step of a run's model has logged so far, and who takes what is no number; nobody on ranks that do not record. */
interface OpenStep {
  readonly model: Module;
  readonly entries: LogEntries;
  readonly names: Set<string>;
  readonly recorder: Recorder | undefined;
  /** Whether it answers, and measures nothing. */
  readonly isPrediction: boolean;
}

// A step is synchronous: what logs meanwhile is the model itself, or one that it calls.
let innermost: OpenStep | undefined;

function during<T>(step: OpenStep, body: () => T): T {
  const outer = innermost;
  innermost = step;
  try {
    return body();
  } finally {
    innermost = outer;
  }
}

/** Runs a step of a model; what it and its inner models log meanwhile comes with what it gives, or goes to `recorder`. */
export function logging<T>(model: Module, step: () => T, recorder?: Recorder): { output: T; logged: LogEntries } {
  const logged: LogEntries = {};
  const output = during({ model, entries: logged, names: new Set(), recorder, isPrediction: false }, step);
  return { output, logged };
}

/** Runs a step of a model that only answers: what it logs goes nowhere, which a warning says. */
export function predicting<T>(model: Module, step: () => T): T {
  return during({ model, entries: {}, names: new Set(), recorder: undefined, isPrediction: true }, step);
}

/**
 * The step in which a model logs; undefined where there is nothing to record. Throws PLUGIN_INVALID for a name that it cannot
 * log now, and outside the steps of a run that is under way.
 */
function openFor(model: Module, method: string, name: string): OpenStep | undefined {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new AiforgeError('PLUGIN_INVALID', `${method} was given ${problem}.`);
  // It was logged the first time.
  if (isRecomputing()) return undefined;
  const step = innermost;
  if (step === undefined) {
    if (isUnderWay(model)) throw outsideStep(method, name);
    return undefined;
  }
  if (step.isPrediction) {
    warnOnce(`${method} was called in predictStep: predictions record nothing`);
    return undefined;
  }
  if (step.names.has(name)) {
    const whose = step.model === model ? '' : `; '${model.constructor.name}' is an inner model, whose names are recorded as the model's own`; // prettier-ignore
    throw new AiforgeError('PLUGIN_INVALID', `${method} was given '${name}' twice in one step: log it once, or under two names${whose}.`); // prettier-ignore
  }
  step.names.add(name);
  return step;
}

function outsideStep(method: string, name: string): AiforgeError {
  return new AiforgeError(
    'PLUGIN_INVALID',
    `${method} was given '${name}' outside a step, while a run with the model is under way: it would be recorded nowhere. ` +
      `Call ${method} in trainingStep or validationStep, or in what they call. A callback, a timer or a promise may keep a value ` +
      'in a property of the model, for the next step to log.',
  );
}

/** How the names that a model has logged in training are recorded. */
interface Recorded {
  /** NAME of `onStep`, as `train_NAME_step`. */
  steps: Set<string>;
  epochs: Set<string>;
}
const recorded = new WeakMap<object, Recorded>();

/** Refuses a name that would be recorded under another one's: `a` with each step and `a_step` for the epoch are both `train_a_step`. */
export function checkRecorded(
  model: object,
  method: string,
  name: string,
  { onStep, onEpoch }: { onStep: boolean; onEpoch: boolean },
): void {
  const { steps, epochs } = recorded.get(model) ?? { steps: new Set(), epochs: new Set() };
  recorded.set(model, { steps, epochs });
  if (onStep) steps.add(name);
  if (onEpoch) epochs.add(name);
  const base = name.replace(/_step$/, '');
  const [ofStep, ofEpoch] =
    onEpoch && base !== name && (base === 'loss' || steps.has(base)) ? [base, name] : [name, `${name}_step`];
  if (ofEpoch !== name && !(onStep && epochs.has(ofEpoch))) return;
  const other = ofStep === 'loss' ? 'the loss of each step, which the framework computes' : `'${ofStep}' with onStep`;
  throw new AiforgeError('PLUGIN_INVALID', `${method} was given '${ofEpoch}' beside ${other}: both are recorded as train_${ofEpoch}. Rename one.`); // prettier-ignore
}

/** Takes what a model logs; where no run is under way, nobody records it and it is checked alone. */
export function log(model: Module, given: [name: string, value: Loggable, options?: LogOptions]): void {
  if ((given[1] as unknown) instanceof MetricCollection) {
    throw new AiforgeError('INVALID_ARGUMENT', `log was given a MetricCollection as '${given[0]}': keep its metrics as properties of the model too, and log each of them.`); // prettier-ignore
  }
  takes.check('log', given);
  const [name, value, { onStep = false, onEpoch = true, progressBar = false, reduce = 'mean' } = {}] = given;
  if (!onStep && !onEpoch && !progressBar) {
    throw new AiforgeError('PLUGIN_INVALID', `log was given '${name}' nowhere: onStep, onEpoch and progressBar are false.`); // prettier-ignore
  }
  const step = openFor(model, 'log', name);
  if (step === undefined) return;
  // An inner model may be in another mode than the model, as one that is frozen.
  if (step.model.training) checkRecorded(step.model, 'log', name, { onStep, onEpoch });
  const options = { onStep, onEpoch, progressBar, reduce };
  if (!(value instanceof Metric)) {
    step.entries[name] = { value: Tensor.isTensor(value) ? measured(value) : value, ...options };
  } else if (onEpoch && !onStep && !progressBar && given[2]?.reduce === undefined) {
    step.entries[name] = { value: { metric: value, property: propertyOf(step.model, value, name) }, ...options };
  } else {
    throw new AiforgeError('PLUGIN_INVALID', `log was given '${name}', a metric, with other options than onEpoch: it is recorded for the epoch, as it computes itself. Log its value for a step.`); // prettier-ignore
  }
}

/** Logs each value of a record with the same options. */
export function logDict(model: Module, given: [record: Record<string, Loggable>, options?: LogOptions]): void {
  takesDict.check('logDict', given);
  const [record, options] = given;
  for (const [name, value] of Object.entries(record)) log(model, options === undefined ? [name, value] : [name, value, options]); // prettier-ignore
}

/** Takes a text that a step logs. */
export function logText(model: Module, given: [name: string, text: string]): void {
  takesText.check('logText', given);
  const [name, text] = given;
  openFor(model, 'logText', name)?.recorder?.add(name, (as) => (tracker, at) => tracker.logText?.(as, text, at));
}

/** Takes an image that a step logs, as it is now. */
export function logImage(model: Module, given: [name: string, tensor: Tensor]): void {
  takesImage.check('logImage', given);
  const [name, tensor] = given;
  openFor(model, 'logImage', name)?.recorder?.add(name, (as) => {
    const image = imageOf(name, tensor);
    return (tracker, at) => tracker.logImage?.(as, image, at);
  });
}

/** Takes the histogram of a tensor that a step logs, as it is now. */
export function logHistogram(model: Module, given: [name: string, tensor: Tensor]): void {
  takesHistogram.check('logHistogram', given);
  const [name, tensor] = given;
  openFor(model, 'logHistogram', name)?.recorder?.add(name, (as) => {
    const histogram = histogramOf(tensor);
    return (tracker, at) => tracker.logHistogram?.(as, histogram, at);
  });
}
