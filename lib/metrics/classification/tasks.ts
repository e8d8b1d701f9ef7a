import { AiforgeError } from '../../errors.js';
import { boolean, fraction, kind, oneOf, whole, type AnyKind, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { isOptions, Signature } from '../../signature.js';

/** What is classified: two classes, one class of several, or each of several labels by itself. */
export type Task = 'binary' | 'multiclass' | 'multilabel';

/** How the values of classes or labels become one: of all counts, their mean, by how often each is true, or not at all. */
export type Average = 'micro' | 'macro' | 'weighted' | 'none';

export interface LabelOptions {
  /** Targets of this value count nothing. Default: none. */
  ignoreIndex?: number;
  /**
   * Whether values out of range are refused, for which a batch on a GPU is waited for; without, they are left out. Default:
   * true.
   */
  validateArgs?: boolean;
}

export interface BinaryOptions extends LabelOptions {
  task: 'binary';
}

export interface MulticlassOptions extends LabelOptions {
  task: 'multiclass';
  /** How many classes there are, 2 or more. */
  numClasses: number;
}

export interface MultilabelOptions extends LabelOptions {
  task: 'multilabel';
  /** How many labels each sample has, 2 or more. */
  numLabels: number;
}

export type TaskOptions = BinaryOptions | MulticlassOptions | MultilabelOptions;

export interface ThresholdOptions {
  /** The probability above which the answer is yes. Default: 0.5. */
  threshold?: number;
}

const several = kind<number>('a whole number, 2 or more', (value) => Number.isSafeInteger(value) && Number(value) >= 2);
const labels: Kinds<LabelOptions> = { ignoreIndex: whole, validateArgs: boolean };

/** The kinds of the options that every metric of a task has. */
export const taskKinds = {
  binary: { task: oneOf('binary'), ...labels } satisfies Kinds<BinaryOptions>,
  multiclass: { task: oneOf('multiclass'), numClasses: several, ...labels } satisfies Kinds<MulticlassOptions>,
  multilabel: { task: oneOf('multilabel'), numLabels: several, ...labels } satisfies Kinds<MultilabelOptions>,
};

export const thresholdKind: Kinds<ThresholdOptions> = { threshold: fraction };

export const averageKind = oneOf('micro', 'macro', 'weighted', 'none');

type TaskKinds<Options extends TaskOptions> = { readonly [T in Options['task']]: Kinds<Extract<Options, { task: T }>> };

/** What a metric takes: options by task, of which each task has its own. */
export class TaskSignature {
  readonly #tasks: ReadonlyMap<unknown, Signature>;
  readonly #task: AnyKind;

  constructor(kinds: Partial<Record<Task, Readonly<Record<string, AnyKind>>>>) {
    const required = (of: object) => ['task', 'numClasses', 'numLabels'].filter((option) => option in of);
    this.#tasks = new Map(Object.entries(kinds).map(([task, of]) => [task, new Signature({}, of, required(of))]));
    this.#task = oneOf(...Object.keys(kinds));
  }

  /** Throws unless options are those of a task. */
  check(name: string, given: ArrayLike<unknown>): void {
    const task = isOptions(given[0]) ? given[0].task : undefined;
    const found = this.#tasks.get(task);
    if (found !== undefined) return found.check(name, given);
    const got = task === undefined ? show(given[0]) : show(task);
    throw new AiforgeError('INVALID_ARGUMENT', `${name}: the option task must be ${this.#task.expected}, got ${got}.`);
  }
}

export const taskSignature = <Options extends TaskOptions>(kinds: TaskKinds<Options>): TaskSignature =>
  new TaskSignature(kinds);

/** How many values a metric has before they are averaged: one for each class or label. */
export function outputsOf(options: TaskOptions): number {
  if (options.task === 'binary') return 1;
  return options.task === 'multiclass' ? options.numClasses : options.numLabels;
}
