import { noGrad } from '../autograd/index.js';
import { AiforgeError } from '../errors.js';
import { scope, Tensor, tensorsOf, type Device } from '../tensor/index.js';
import { States, type Gathers, type MetricState, type Reduction } from './states.js';

/**
 * What is measured over many batches: `update` takes a batch, `compute` gives the value so far, `reset` begins anew. Its
 * states are tensors, which `computeOver` brings together from all ranks. As `torchmetrics.Metric`.
 *
 * A metric of one's own defines its states in the constructor, adds to them in `accumulate` and calculates in `result`.
 *
 * @example
 * import { tensor, zeros, type Tensor } from 'aiforge';
 * import { Metric } from 'aiforge/metrics';
 * class MeanError extends Metric {
 *   constructor() {
 *     super();
 *     this.addState('sum', zeros([]), 'sum');
 *     this.addState('count', zeros([]), 'sum');
 *   }
 *   protected override accumulate(predictions: Tensor, targets: Tensor) {
 *     this.add('sum', predictions.sub(targets).sum());
 *     this.add('count', targets.numel());
 *   }
 *   protected override result() {
 *     return this.state('sum').div(this.state('count'));
 *   }
 * }
 * const metric = new MeanError();
 * metric.update(tensor([1.5, 2]), tensor([1, 2]));
 * metric.compute().item(); // 0.25
 */
export abstract class Metric<Batch extends unknown[] = [predictions: Tensor, targets: Tensor], Value = Tensor> {
  /** Whether more is better; null where neither is. */
  readonly higherIsBetter: boolean | null = null;
  #states = new States();

  /** Adds a batch to the states, once it is known to be right; what it makes beside is released afterwards. */
  protected abstract accumulate(...batch: Batch): void;

  /** The value of the states. */
  protected abstract result(): Value;

  /** Metrics of one collection with the same key have the same states, which one of them counts in. Default: none. */
  get stateKey(): string | undefined {
    return undefined;
  }

  /** Takes a batch. */
  update(...batch: Batch): void {
    scope(() => {
      this.#states.moveTo(deviceOf(this.constructor.name, batch));
      noGrad(() => this.accumulate(...batch));
      this.#states.count();
    });
  }

  /** The value of all batches since the beginning, or since `reset`. */
  compute(): Value {
    return this.#compute(this.#states);
  }

  /** Takes a batch, and gives the value of this batch alone. */
  forward(...batch: Batch): Value {
    return this.aside(() => {
      this.update(...batch);
      return this.compute();
    });
  }

  /**
   * The value of the batches of all ranks, the same on each; the own states stay as they are. Every rank calls it, also one
   * that had no batch.
   *
   * @param group A `ProcessGroup` of `aiforge/distributed`.
   */
  async computeOver(group: Gathers): Promise<Value> {
    return this.computeFrom(await this.statesOf(group));
  }

  /** @internal The states of each rank, in their order. */
  statesOf(group: Gathers): Promise<MetricState[]> {
    return this.#states.ofRanks(group);
  }

  /** @internal The value of the batches of several saved states. */
  computeFrom([first, ...others]: readonly MetricState[]): Value {
    const together = this.#states.fresh();
    const other = this.#states.fresh();
    try {
      scope(() => {
        together.restore(first!);
        for (const state of others) {
          other.restore(state);
          together.merge(other);
        }
      });
      return this.#compute(together);
    } finally {
      together.dispose();
      other.dispose();
    }
  }

  /** Forgets all batches. */
  reset(): void {
    scope(() => this.#states.reset());
  }

  /** How many batches it has. */
  get updateCount(): number {
    return this.#states.updates;
  }

  /** Takes in what another metric of the same kind and options has. */
  merge(other: this): void {
    if (other.constructor !== this.constructor) {
      throw new AiforgeError('INVALID_ARGUMENT', `merge: expected a ${this.constructor.name}, got a ${other.constructor.name}.`); // prettier-ignore
    }
    scope(() => this.#states.merge(other.#states));
  }

  /** Its states, to go on from with `loadStateDict`. */
  stateDict(): MetricState {
    return this.#states.save();
  }

  /** @throws AiforgeError STATE_DICT_MISMATCH when they are another metric's; then nothing is changed. */
  loadStateDict(state: MetricState): void {
    scope(() => this.#states.restore(state));
  }

  /** @internal Takes in the saved state of another. */
  mergeState(state: MetricState): void {
    const other = this.#states.fresh();
    try {
      scope(() => {
        other.restore(state);
        this.#states.merge(other);
      });
    } finally {
      other.dispose();
    }
  }

  /** @internal Remembers what it has; calling the result takes back the batches since, in the scope in which it was asked. */
  mark(): () => void {
    return this.#states.mark();
  }

  /** Defines a state: how it begins, and how those of several ranks become one. A state that grows by `cat` begins empty. */
  protected addState(name: string, initial: Tensor | [], reduction: Reduction): void {
    this.#states.define(name, reduction, Array.isArray(initial) ? undefined : initial);
  }

  /** A state as one tensor. */
  protected state(name: string): Tensor {
    return this.#states.get(name);
  }

  /** Puts a tensor in a state's place. */
  protected setState(name: string, value: Tensor): void {
    this.#states.set(name, value);
  }

  /** Adds to a state. */
  protected add(name: string, value: Tensor | number): void {
    this.#states.add(name, value);
  }

  /** Adds rows to a state that grows by `cat`. */
  protected append(name: string, value: Tensor): void {
    this.#states.append(name, value);
  }

  /** @internal Runs `body` on states that begin anew, and takes them in afterwards. */
  aside<T>(body: () => T): T {
    return this.#states.aside(body);
  }

  /** @internal Counts in the states of another metric from now on. */
  shareStatesOf(other: Metric<Batch, Value>): void {
    this.#states = other.#states;
  }

  [tensorsOf](): Iterable<Tensor> {
    return this.#states.tensors();
  }

  #compute(states: States): Value {
    if (states.updates === 0) {
      throw new AiforgeError('INVALID_ARGUMENT', `${this.constructor.name}.compute: no batch was given to update yet.`);
    }
    const own = this.#states;
    this.#states = states;
    try {
      return scope(() => noGrad(() => this.result()));
    } finally {
      this.#states = own;
    }
  }
}

function deviceOf(name: string, batch: readonly unknown[]): Device {
  const device = batch.flat().find(Tensor.isTensor)?.device ?? 'cpu';
  if (device !== 'meta') return device;
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: expected tensors with data, got one on the device meta.`);
}
