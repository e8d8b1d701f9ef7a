import { AiforgeError } from '../errors.js';
import { kind, string } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from '../tensor/index.js';
import { Metric } from './metric.js';
import type { Gathers, MetricState } from './states.js';

export interface MetricCollectionOptions {
  /** Before each name. Default: ''. */
  prefix?: string;
  /** After each name. Default: ''. */
  postfix?: string;
}

const isMetric = (value: unknown): boolean => value instanceof Metric;
const metricsKind = kind<object>(
  'an object of metrics by name, or an array of metrics',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).length > 0 &&
    Object.values(value).every(isMetric),
);
const takes = signature<MetricCollectionOptions>({ metrics: metricsKind }, { prefix: string, postfix: string });

/**
 * Several metrics of the same batches, as one. Those with the same counts, such as accuracy and F1, count once. An array
 * names each by its class. As `torchmetrics.MetricCollection`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MeanAbsoluteError, MeanSquaredError, MetricCollection } from 'aiforge/metrics';
 * const metrics = new MetricCollection([new MeanAbsoluteError(), new MeanSquaredError()], { prefix: 'val_' });
 * metrics.update(tensor([1.5, 2]), tensor([1, 2]));
 * metrics.compute().val_MeanAbsoluteError.item(); // 0.25
 */
export class MetricCollection<Batch extends unknown[] = [predictions: Tensor, targets: Tensor], Value = Tensor> {
  readonly #metrics: ReadonlyMap<string, Metric<Batch, Value>>;
  readonly #prefix: string;
  readonly #postfix: string;
  /** The metrics that count, one for each set of states, with those that share it. */
  readonly #counting = new Map<Metric<Batch, Value>, Metric<Batch, Value>[]>();

  constructor(
    metrics: Readonly<Record<string, Metric<Batch, Value>>> | readonly Metric<Batch, Value>[],
    options: MetricCollectionOptions = {},
  ) {
    takes.check(new.target.name, arguments);
    this.#prefix = options.prefix ?? '';
    this.#postfix = options.postfix ?? '';
    this.#metrics = new Map(Array.isArray(metrics) ? byClass(metrics) : Object.entries(metrics));
    const first = new Map<string, Metric<Batch, Value>>();
    for (const metric of this.#metrics.values()) {
      const key = metric.updateCount === 0 ? metric.stateKey : undefined;
      const other = key === undefined ? undefined : first.get(key);
      if (other !== undefined) metric.shareStatesOf(other);
      if (key !== undefined) first.set(key, other ?? metric);
      this.#counting.set(other ?? metric, [...(this.#counting.get(other ?? metric) ?? []), metric]);
    }
  }

  /** The metrics under their names, without prefix and postfix. */
  get metrics(): ReadonlyMap<string, Metric<Batch, Value>> {
    return this.#metrics;
  }

  update(...batch: Batch): void {
    for (const metric of this.#counting.keys()) metric.update(...batch);
  }

  /** The value of each metric, by its name with prefix and postfix. */
  compute(): Record<string, Value> {
    return this.#named((metric) => metric.compute());
  }

  /** Takes a batch, and gives the values of this batch alone. */
  forward(...batch: Batch): Record<string, Value> {
    const once = () => {
      this.update(...batch);
      return this.compute();
    };
    return [...this.#counting.keys()].reduce((body, metric) => () => metric.aside(body), once)();
  }

  /** The values of the batches of all ranks, which all call it. */
  async computeOver(group: Gathers): Promise<Record<string, Value>> {
    const values = new Map<Metric<Batch, Value>, Value>();
    // One after the other: every rank calls the same collectives in the same order.
    for (const [counting, metrics] of this.#counting) {
      const states = await counting.statesOf(group);
      for (const metric of metrics) values.set(metric, metric.computeFrom(states));
    }
    return this.#named((metric) => values.get(metric)!);
  }

  reset(): void {
    for (const metric of this.#counting.keys()) metric.reset();
  }

  stateDict(): Record<string, MetricState> {
    return Object.fromEntries([...this.#metrics].map(([name, metric]) => [name, metric.stateDict()]));
  }

  /** @throws AiforgeError STATE_DICT_MISMATCH for other metrics. */
  loadStateDict(state: Readonly<Record<string, MetricState>>): void {
    const expected = [...this.#metrics.keys()];
    if (String(Object.keys(state).sort()) !== String([...expected].sort())) {
      throw new AiforgeError('STATE_DICT_MISMATCH', `loadStateDict: expected the metrics ${expected.join(', ')}, got ${Object.keys(state).join(', ')}.`); // prettier-ignore
    }
    for (const [name, metric] of this.#metrics) metric.loadStateDict(state[name]!);
  }

  #nameOf(name: string): string {
    return this.#prefix + name + this.#postfix;
  }

  #named(value: (metric: Metric<Batch, Value>) => Value): Record<string, Value> {
    return Object.fromEntries([...this.#metrics].map(([name, metric]) => [this.#nameOf(name), value(metric)]));
  }
}

function byClass<M extends object>(metrics: readonly M[]): [string, M][] {
  const named = metrics.map((metric): [string, M] => [metric.constructor.name, metric]);
  const names = new Set(named.map(([name]) => name));
  if (names.size === named.length) return named;
  throw new AiforgeError('INVALID_ARGUMENT', 'MetricCollection: two metrics of one class need names; give an object of metrics by name.'); // prettier-ignore
}
