import { AiforgeError } from '../errors.js';
import { either, number, oneOf } from '../kinds.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { tensor, Tensor, zeros } from '../tensor/index.js';
import { warnOnce } from '../warnOnce.js';
import { Metric } from './metric.js';

export interface AggregationOptions {
  /**
   * What becomes of NaN: 'error' refuses the batch, 'warn' and 'ignore' leave it out, with a warning from `compute` or
   * without, a number takes its place, and 'disable' lets it through. Default: 'warn'.
   */
  nanStrategy?: 'error' | 'warn' | 'ignore' | 'disable' | number;
}

const takes = signature<AggregationOptions>(
  {},
  { nanStrategy: either(oneOf('error', 'warn', 'ignore', 'disable'), number) },
);

/** One number made of all that were given. */
abstract class Aggregation<Batch extends unknown[] = [value: Tensor | number]> extends Metric<Batch> {
  readonly #nanStrategy: NonNullable<AggregationOptions['nanStrategy']>;

  constructor({ nanStrategy = 'warn' }: AggregationOptions) {
    super();
    this.#nanStrategy = nanStrategy;
    if (nanStrategy === 'warn') this.addState('nans', zeros([], { dtype: 'int64' }), 'sum');
  }

  protected abstract aggregated(): Tensor;

  protected override result(): Tensor {
    // Asked here, where values are read anyway, and not at each batch.
    if (this.#nanStrategy === 'warn' && Number(this.state('nans').item()) > 0) {
      warnOnce(`${this.constructor.name}: numbers that are NaN were left out; nanStrategy says what becomes of them.`);
    }
    return this.aggregated();
  }

  /** The number that takes the place of NaN; undefined where none does. */
  protected get substitute(): number | undefined {
    return typeof this.#nanStrategy === 'number' ? this.#nanStrategy : undefined;
  }

  /** Numbers with another in the place of NaN, unless NaN is let through. */
  protected cleaned(numbers: Tensor, isNaN: Tensor, instead: number): Tensor {
    return this.#nanStrategy === 'disable' ? numbers : numbers.maskedFill(isNaN, instead);
  }

  /** Takes note of NaN, or refuses it; before anything is added. */
  protected note(isNaN: Tensor): void {
    if (this.#nanStrategy === 'warn') this.add('nans', isNaN.sum());
    else if (this.#nanStrategy === 'error' && Boolean(isNaN.any().item())) {
      throw new AiforgeError('INVALID_ARGUMENT', `${this.constructor.name}: expected numbers, got NaN among them; another nanStrategy takes it.`); // prettier-ignore
    }
  }

  /** A value or a weight as float64. */
  protected numbers(what: string, given: unknown, device: Tensor['device']): Tensor {
    if (typeof given === 'number') return tensor(given, { dtype: 'float64', device });
    if (Tensor.isTensor(given) && !given.isComplex()) return given.to('float64');
    throw new AiforgeError('INVALID_ARGUMENT', `${this.constructor.name}: ${what} must be a number or a Tensor of real numbers, got ${show(given)}.`); // prettier-ignore
  }
}

/** The largest or the smallest. */
abstract class Extreme extends Aggregation {
  readonly #kind: 'min' | 'max';
  readonly #first: number;

  constructor(kind: 'min' | 'max', options: AggregationOptions) {
    super(options);
    this.#kind = kind;
    this.#first = kind === 'max' ? -Infinity : Infinity;
    this.addState('value', tensor(this.#first, { dtype: 'float64' }), kind);
  }

  protected override accumulate(value: Tensor | number): void {
    const numbers = this.numbers('value', value, 'cpu');
    const isNaN = numbers.isnan();
    this.note(isNaN);
    if (numbers.numel() === 0) return;
    const cleaned = this.cleaned(numbers, isNaN, this.substitute ?? this.#first);
    const [before, batch] = [this.state('value'), this.#kind === 'max' ? cleaned.max() : cleaned.min()];
    this.setState('value', this.#kind === 'max' ? before.maximum(batch) : before.minimum(batch));
  }

  protected override aggregated(): Tensor {
    return this.state('value');
  }
}

/**
 * The largest of all numbers, float64 []; -Infinity of none. As `torchmetrics.MaxMetric`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MaxMetric } from 'aiforge/metrics';
 * const metric = new MaxMetric();
 * metric.update(1);
 * metric.update(tensor([2, 3]));
 * metric.compute().item(); // 3
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for what are no real numbers, and for NaN when nanStrategy is 'error'.
 */
export class MaxMetric extends Extreme {
  constructor(options: AggregationOptions = {}) {
    takes.check(new.target.name, arguments);
    super('max', options);
  }
}

/**
 * The smallest of all numbers, float64 []; Infinity of none. As `torchmetrics.MinMetric`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MinMetric } from 'aiforge/metrics';
 * const metric = new MinMetric();
 * metric.update(4);
 * metric.update(tensor([2, 3]));
 * metric.compute().item(); // 2
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for what are no real numbers, and for NaN when nanStrategy is 'error'.
 */
export class MinMetric extends Extreme {
  constructor(options: AggregationOptions = {}) {
    takes.check(new.target.name, arguments);
    super('min', options);
  }
}

/**
 * The sum of all numbers, float64 []. As `torchmetrics.SumMetric`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { SumMetric } from 'aiforge/metrics';
 * const metric = new SumMetric();
 * metric.update(1);
 * metric.update(tensor([2, 3]));
 * metric.compute().item(); // 6
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for what are no real numbers, and for NaN when nanStrategy is 'error'.
 */
export class SumMetric extends Aggregation {
  constructor(options: AggregationOptions = {}) {
    takes.check(new.target.name, arguments);
    super(options);
    this.addState('sum', zeros([], { dtype: 'float64' }), 'sum');
  }

  protected override accumulate(value: Tensor | number): void {
    const numbers = this.numbers('value', value, 'cpu');
    const isNaN = numbers.isnan();
    this.note(isNaN);
    this.add('sum', this.cleaned(numbers, isNaN, this.substitute ?? 0).sum());
  }

  protected override aggregated(): Tensor {
    return this.state('sum');
  }
}

/**
 * The mean of all numbers, each with its weight, which is 1 unless it is given; float64 []. A weight is a number, or a Tensor
 * that is broadcast to the value's shape. A value counts as NaN when its weight is. As `torchmetrics.MeanMetric`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MeanMetric } from 'aiforge/metrics';
 * const metric = new MeanMetric();
 * metric.update(1, 2);
 * metric.update(tensor([2, 6]), tensor([1, 1]));
 * metric.compute().item(); // 2.5
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for what are no real numbers, for weights of another shape, and for NaN
 * when nanStrategy is 'error'.
 */
export class MeanMetric extends Aggregation<[value: Tensor | number, weight?: Tensor | number]> {
  constructor(options: AggregationOptions = {}) {
    takes.check(new.target.name, arguments);
    super(options);
    this.addState('sum', zeros([], { dtype: 'float64' }), 'sum');
    this.addState('weight', zeros([], { dtype: 'float64' }), 'sum');
  }

  protected override accumulate(value: Tensor | number, weight: Tensor | number = 1): void {
    const numbers = this.numbers('value', value, Tensor.isTensor(weight) ? weight.device : 'cpu');
    const weights = this.#weightsOf(numbers, weight);
    const isNaN = numbers.isnan().logicalOr(weights.isnan());
    this.note(isNaN);
    const counted = this.cleaned(weights, isNaN, this.substitute === undefined ? 0 : 1);
    this.add(
      'sum',
      this.cleaned(numbers, isNaN, this.substitute ?? 0)
        .mul(counted)
        .sum(),
    );
    this.add('weight', counted.sum());
  }

  protected override aggregated(): Tensor {
    return this.state('sum').div(this.state('weight'));
  }

  /** A weight for each number. */
  #weightsOf(numbers: Tensor, weight: Tensor | number): Tensor {
    const weights = this.numbers('weight', weight, numbers.device);
    const missing = numbers.ndim - weights.ndim;
    const fits = missing >= 0 && weights.shape.every((size, i) => size === 1 || size === numbers.size(missing + i));
    if (fits && weights.device === numbers.device) return weights.expand(numbers.shape);
    throw new AiforgeError('INVALID_ARGUMENT', `MeanMetric: the weight must be on the value's device and of a shape that is broadcast to the value's, [${numbers.shape.join(', ')}], got ${show(weight)}.`); // prettier-ignore
  }
}
