import { AiforgeError } from '../../../errors.js';
import type { Metric } from '../../../metrics/index.js';
import type { MetricState } from '../../../metrics/states.js';
import type { Module } from '../../../nn/index.js';
import { show } from '../../../show.js';
import { Tensor } from '../../../tensor/index.js';
import { allKeys } from './allKeys.js';
import type { Ranks } from '../../ranks.js';

/** A metric of any batches. */
export type AnyMetric = Metric<never[], unknown>;

/** A metric that a step logged, and where its model has it. */
export interface LoggedMetric {
  metric: AnyMetric;
  /** Such as `accuracy` or `head.accuracy`: by it other ranks, and a run that goes on, find theirs. */
  property: string;
}

/** What a checkpoint holds of the metrics of an epoch: by name, where the model has it, and its states on each rank. */
export type SavedMetrics = Record<string, { property: string; ranks: MetricState[] }>;

type Gather = Pick<Ranks, 'gather' | 'broadcastBytes'>;

/** Where models have had their metrics: to look through all modules takes too long for each batch. */
const known = new WeakMap<AnyMetric, string>();

/** Where a model has a metric among its own properties and those of its modules; throws PLUGIN_INVALID where it has not. */
export function propertyOf(model: Module, metric: AnyMetric, name: string): string {
  const before = known.get(metric);
  if (before !== undefined && valueAt(model, before) === metric) return before;
  for (const [path, module] of model.namedModules()) {
    const own = Object.keys(module).find((key) => (module as unknown as Record<string, unknown>)[key] === metric);
    if (own === undefined) continue;
    const property = path === '' ? own : `${path}.${own}`;
    known.set(metric, property);
    return property;
  }
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `log was given '${name}', a ${metric.constructor.name} that is no property of the model: make it in the constructor, as this.${name}.`,
  );
}

/** What a model has at a path of modules, as parameters have them, with a property of the last one. */
function valueAt(model: Module, path: string): unknown {
  const end = path.lastIndexOf('.');
  const owner: object | undefined = end < 0 ? model : moduleAt(model, path.slice(0, end));
  return (owner as Record<string, unknown> | undefined)?.[path.slice(end + 1)];
}

function moduleAt(model: Module, path: string): Module | undefined {
  try {
    return model.getSubmodule(path);
  } catch {
    return undefined;
  }
}

function metricAt(model: Module, property: string, name: string): AnyMetric {
  const found = valueAt(model, property);
  if (typeof (found as Partial<AnyMetric> | undefined)?.computeFrom === 'function') return found as AnyMetric;
  throw new AiforgeError('PLUGIN_INVALID', `The model has no metric '${property}' now, which was logged as '${name}'.`);
}

/** The metrics that the steps of a pass logged. */
export class LoggedMetrics {
  readonly #all = new Map<string, LoggedMetric>();
  /** Their states at the end of the pass; the metrics themselves may be in the next one. */
  #finished: SavedMetrics | undefined;

  add(name: string, logged: LoggedMetric): void {
    const known = this.#all.get(name);
    if (known !== undefined && known.metric !== logged.metric) {
      throw new AiforgeError('PLUGIN_INVALID', `log was given '${name}' for two metrics: ${known.property} and ${logged.property}.`); // prettier-ignore
    }
    this.#all.set(name, logged);
  }

  get names(): string[] {
    return [...this.#all.keys()];
  }

  /** The values over all ranks, one number each; the metrics begin anew. */
  async finish(model: Module, ranks: Gather): Promise<Record<string, number>> {
    this.#finished = await this.#gather(model, ranks);
    return Object.fromEntries(
      Object.entries(this.#finished).map(([name, { property, ranks: states }]) => {
        const metric = metricAt(model, property, name);
        const value = metric.computeFrom(states);
        metric.reset();
        return [name, numberOf(name, metric, value)];
      }),
    );
  }

  /** Their states on all ranks, for a checkpoint. */
  save(model: Module, ranks: Gather): Promise<SavedMetrics> {
    return this.#finished === undefined ? this.#gather(model, ranks) : Promise.resolve(this.#finished);
  }

  /** Takes the states that some ranks had. */
  restore(model: Module, saved: SavedMetrics, [first, ...others]: readonly number[]): void {
    if (first === undefined) return;
    for (const [name, { property, ranks }] of Object.entries(saved)) {
      const metric = metricAt(model, property, name);
      metric.loadStateDict(ranks[first]!);
      for (const other of others) metric.mergeState(ranks[other]!);
      this.#all.set(name, { metric, property });
    }
  }

  /** Lets the metrics begin anew. */
  reset(): void {
    for (const { metric } of this.#all.values()) metric.reset();
  }

  /** A rank without a batch has logged nothing; rank 0 has the first. */
  async #gather(model: Module, ranks: Gather): Promise<SavedMetrics> {
    const own = [...this.#all].map(([name, { property }]) => `${name}:${property}`);
    const saved: SavedMetrics = {};
    for (const key of await allKeys(own, ranks)) {
      const [name, property] = [key.slice(0, key.lastIndexOf(':')), key.slice(key.lastIndexOf(':') + 1)];
      const metric = metricAt(model, property, name);
      saved[name] = { property, ranks: await metric.statesOf({ allGather: (state) => ranks.gather(state) }) };
    }
    return saved;
  }
}

function numberOf(name: string, metric: AnyMetric, value: unknown): number {
  if (typeof value === 'number') return value;
  if (Tensor.isTensor(value) && value.numel() === 1) return Number(value.item());
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `log was given '${name}', and its ${metric.constructor.name} is ${show(value)}; what is recorded is one number.`,
  );
}
