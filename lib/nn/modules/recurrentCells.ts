import { AiforgeError } from '../../errors.js';
import { boolean, count, size, oneOf, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { empty } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { recurrentCell, zeroStates, type RecurrentMode } from '../operators/recurrent.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import type { LSTMStates } from './recurrent.js';
import { checkInput, refuseSurplus } from '../checks.js';

export interface RecurrentCellOptions extends FactoryOptions {
  /** Whether the gates have biases. Default: true. */
  bias?: boolean;
}

const cellOptions: Kinds<RecurrentCellOptions> = { bias: boolean, ...factoryOptions };

export interface RNNCellOptions extends RecurrentCellOptions {
  /** Default: `'tanh'`. */
  nonlinearity?: 'tanh' | 'relu';
}

const rnnCellOptions: Kinds<RNNCellOptions> = { bias: boolean, nonlinearity: oneOf('tanh', 'relu'), ...factoryOptions };

const cellBaseTakes = signature({ inputSize: size, hiddenSize: size, gates: count }, cellOptions);

/**
 * What RNNCell, LSTMCell and GRUCell share: the weights of one step, and what all cells check. Weights and biases are
 * drawn uniformly from ±1/sqrt(hiddenSize). As `torch.nn.RNNCellBase`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes below zero.
 * @example
 * import { nn } from 'aiforge';
 * const cell = new nn.GRUCell(4, 8);
 * cell instanceof nn.RNNCellBase; // true
 * cell.weightIh.shape; // [24, 4]
 */
export abstract class RNNCellBase extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
  weightIh: Parameter;
  weightHh: Parameter;
  biasIh: Parameter | null;
  biasHh: Parameter | null;

  /** `gates` is how many rows of weights each hidden unit has. */
  constructor(inputSize: number, hiddenSize: number, gates: number, options: RecurrentCellOptions = {}) {
    cellBaseTakes.check(new.target.name, arguments);
    super();
    const { bias = true, ...factory } = options;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.bias = bias;
    const parameter = (...shape: number[]): Parameter => new Parameter(empty(shape, factory));
    this.weightIh = parameter(gates * hiddenSize, inputSize);
    this.weightHh = parameter(gates * hiddenSize, hiddenSize);
    this.biasIh = bias ? parameter(gates * hiddenSize) : null;
    this.biasHh = bias ? parameter(gates * hiddenSize) : null;
    this.resetParameters();
    noteMembers(this);
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    for (const weight of this.parameters()) uniform_(weight, -bound, bound);
  }

  /** The states after a step, for a batch or for one sample; from zeros where none are given. */
  protected step(mode: RecurrentMode, input: Tensor, hx: readonly Tensor[] | null): Tensor[] {
    const isBatched = this.checkDims(input, 'the input') === 2;
    for (const state of hx ?? []) this.checkDims(state, 'hx');
    const weights = [this.weightIh, this.weightHh, this.biasIh, this.biasHh] as const;
    const x = isBatched ? input : input.unsqueeze(0);
    const states = hx === null ? this.zeroStates(mode, x) : isBatched ? hx : hx.map((state) => state.unsqueeze(0));
    const next = recurrentCell(mode, x, states, weights);
    return isBatched ? next : next.map((state) => state.squeeze(0));
  }

  private checkDims(tensor: Tensor, what: string): number {
    checkInput(this.constructor.name, tensor);
    const dims = tensor.dim();
    if (dims === 1 || dims === 2) return dims;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${this.constructor.name}: ${what} must have 2 dimensions, or 1 without a batch, got [${tensor.shape.join(', ')}].`,
    );
  }

  private zeroStates(mode: RecurrentMode, input: Tensor): Tensor[] {
    const shape = [input.size(0), this.hiddenSize];
    return zeroStates(mode === 'LSTM' ? [shape, shape] : [shape], input);
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? '' : ', bias=False'}`;
  }
}

const rnnCellTakes = signature({ inputSize: size, hiddenSize: size }, rnnCellOptions);

/**
 * One step of an `RNN`, as `torch.nn.RNNCell`: `tanh(x @ weightIh.T + biasIh + h @ weightHh.T + biasHh)`, or with relu.
 *
 * Shapes: input [N, inputSize], `hx` and output [N, hiddenSize]; without N for one sample.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes below zero, an unknown nonlinearity, and tensors that do not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * const cell = new nn.RNNCell(4, 8);
 * let h = cell.forward(randn([3, 4]));
 * h = cell.forward(randn([3, 4]), h);
 * h.shape; // [3, 8]
 */
export class RNNCell extends RNNCellBase {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    rnnCellTakes.check(new.target.name, arguments);
    const { nonlinearity = 'tanh', ...rest } = options;
    super(inputSize, hiddenSize, 1, rest);
    this.nonlinearity = nonlinearity;
  }

  override forward(input: Tensor, hx: Tensor | null = null): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return this.step(this.nonlinearity === 'relu' ? 'RNN_RELU' : 'RNN_TANH', input, hx && [hx])[0]!;
  }

  override extraRepr(): string {
    const nonlinearity = this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`;
    return `${super.extraRepr()}${nonlinearity}`;
  }
}

const cellTakes = signature({ inputSize: size, hiddenSize: size }, cellOptions);

/**
 * One step of an `LSTM`, as `torch.nn.LSTMCell`: of `x @ weightIh.T + biasIh + h @ weightHh.T + biasHh` the four parts are
 * the gates i, f, g and o: `c' = σ(f) * c + σ(i) * tanh(g)` and `h' = σ(o) * tanh(c')`.
 *
 * Shapes: input [N, inputSize], both states [N, hiddenSize]; without N for one sample.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes below zero and tensors that do not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * const cell = new nn.LSTMCell(4, 8);
 * const [h, c] = cell.forward(randn([3, 4]));
 * cell.forward(randn([3, 4]), [h, c])[0].shape; // [3, 8]
 */
export class LSTMCell extends RNNCellBase {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentCellOptions = {}) {
    cellTakes.check(new.target.name, arguments);
    super(inputSize, hiddenSize, 4, options);
  }

  override forward(input: Tensor, hx: LSTMStates | null = null): [hidden: Tensor, cell: Tensor] {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return this.step('LSTM', input, hx) as [Tensor, Tensor];
  }
}

/**
 * One step of a `GRU`, as `torch.nn.GRUCell`. With r, z and n the three parts of the weights:
 * `r = σ(x @ wIr.T + bIr + h @ wHr.T + bHr)`, `z` likewise, `n = tanh(x @ wIn.T + bIn + r * (h @ wHn.T + bHn))` and
 * `h' = (1 - z) * n + z * h`.
 *
 * Shapes: input [N, inputSize], `hx` and output [N, hiddenSize]; without N for one sample.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes below zero and tensors that do not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.GRUCell(4, 8).forward(randn([4])).shape; // [8]
 */
export class GRUCell extends RNNCellBase {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentCellOptions = {}) {
    cellTakes.check(new.target.name, arguments);
    super(inputSize, hiddenSize, 3, options);
  }

  override forward(input: Tensor, hx: Tensor | null = null): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return this.step('GRU', input, hx && [hx])[0]!;
  }
}
