import { count, oneOf, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { PackedSequence } from '../packing/packedSequence.js';
import {
  RNNBase,
  recurrentOptions,
  recurrentBaseOptions,
  type RecurrentBaseOptions,
  type RecurrentOptions,
} from './recurrentBase.js';
import { refuseSurplus } from '../checks.js';

export interface RNNOptions extends RecurrentOptions {
  /** Default: `'tanh'`. */
  nonlinearity?: 'tanh' | 'relu';
}

const rnnOptions: Kinds<RNNOptions> = { ...recurrentOptions, nonlinearity: oneOf('tanh', 'relu') };

/** The states of an LSTM, each [numLayers * directions, batch, size], without the batch for one sequence. */
export type LSTMStates = readonly [hidden: Tensor, cell: Tensor];

const rnnModes = { tanh: 'RNN_TANH', relu: 'RNN_RELU' } as const;

const orNull = (hx: Tensor | null): [Tensor] | null => (hx === null ? null : [hx]);

const rnnTakes = signature({ inputSize: count, hiddenSize: count }, rnnOptions);

/**
 * A recurrent network of Elman's kind, as `torch.nn.RNN`: `h[t] = tanh(x[t] @ wIh.T + bIh + h[t-1] @ wHh.T + bHh)`, or
 * with relu, where `x` of each further layer is the `h` of the layer below.
 *
 * Shapes, with D = 2 if bidirectional, else 1: input [L, N, inputSize], `hx` [D * numLayers, N, hiddenSize], output
 * [L, N, D * hiddenSize]; without N for one sequence, [N, L, ...] with `batchFirst`, or a `PackedSequence`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes that are not above zero, other options out of range, and tensors whose
 * shape or dtype does not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * const rnn = new nn.RNN(4, 8, { numLayers: 2, nonlinearity: 'relu' });
 * const [output, hidden] = rnn.forward(randn([5, 3, 4]));
 * output.shape; // [5, 3, 8]
 * hidden.shape; // [2, 3, 8]
 */
export class RNN extends RNNBase {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    rnnTakes.check(new.target.name, arguments);
    const { nonlinearity = 'tanh', ...rest } = options;
    super(rnnModes[nonlinearity], inputSize, hiddenSize, rest);
    this.nonlinearity = nonlinearity;
  }

  /** The hidden state of the last layer at each step, and that of each layer at its last step; `hx` is zeros if not given. */
  override forward(input: Tensor, hx?: Tensor | null): [output: Tensor, hidden: Tensor];
  override forward(input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, hidden: Tensor];
  override forward(input: never, hx: Tensor | null = null): [output: Tensor | PackedSequence, hidden: Tensor] {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    const [output, [hidden]] = this.run(input, orNull(hx));
    return [output, hidden!];
  }
}

const lstmTakes = signature({ inputSize: count, hiddenSize: count }, recurrentBaseOptions);

/**
 * A network of long short-term memory, as `torch.nn.LSTM`. Of `x[t] @ wIh.T + bIh + h[t-1] @ wHh.T + bHh` the four parts
 * are the gates i, f, g and o: `c[t] = σ(f) * c[t-1] + σ(i) * tanh(g)` and `h[t] = σ(o) * tanh(c[t])`, with `projSize`
 * times `wHr.T`. `x` of each further layer is the `h` of the layer below.
 *
 * Shapes, with D = 2 if bidirectional, else 1, and H = projSize, or hiddenSize without: input [L, N, inputSize], hidden
 * state [D * numLayers, N, H], cell state [D * numLayers, N, hiddenSize], output [L, N, D * H]; without N for one
 * sequence, [N, L, ...] with `batchFirst`, or a `PackedSequence`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes that are not above zero, other options out of range, and tensors whose
 * shape or dtype does not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * const lstm = new nn.LSTM(4, 8, { bidirectional: true, batchFirst: true });
 * const [output, [hidden, cell]] = lstm.forward(randn([3, 5, 4]));
 * output.shape; // [3, 5, 16]
 * cell.shape; // [2, 3, 8]
 */
export class LSTM extends RNNBase {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentBaseOptions = {}) {
    lstmTakes.check(new.target.name, arguments);
    super('LSTM', inputSize, hiddenSize, options);
  }

  /** The hidden state of the last layer at each step, and both states of each layer at its last step. */
  override forward(input: Tensor, hx?: LSTMStates | null): [output: Tensor, states: [hidden: Tensor, cell: Tensor]];
  override forward(
    input: PackedSequence,
    hx?: LSTMStates | null,
  ): [output: PackedSequence, states: [hidden: Tensor, cell: Tensor]];
  override forward(
    input: never,
    hx: LSTMStates | null = null,
  ): [output: Tensor | PackedSequence, states: [hidden: Tensor, cell: Tensor]] {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    if (hx !== null && (!Array.isArray(hx) || hx.length !== 2)) {
      throw this.refusal(`expected hx as [hidden, cell], got ${show(hx)}`);
    }
    return this.run(input, hx) as [Tensor | PackedSequence, [Tensor, Tensor]];
  }
}

const gruTakes = signature({ inputSize: count, hiddenSize: count }, recurrentOptions);

/**
 * A network of gated recurrent units, as `torch.nn.GRU`. With r, z and n the three parts of the weights:
 * `r = σ(x[t] @ wIr.T + bIr + h[t-1] @ wHr.T + bHr)`, `z` likewise, `n = tanh(x[t] @ wIn.T + bIn + r * (h[t-1] @ wHn.T +
 * bHn))` and `h[t] = (1 - z) * n + z * h[t-1]`. `x` of each further layer is the `h` of the layer below.
 *
 * Shapes, with D = 2 if bidirectional, else 1: input [L, N, inputSize], `hx` [D * numLayers, N, hiddenSize], output
 * [L, N, D * hiddenSize]; without N for one sequence, [N, L, ...] with `batchFirst`, or a `PackedSequence`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes that are not above zero, other options out of range, and tensors whose
 * shape or dtype does not fit.
 * @example
 * import { nn, randn, zeros } from 'aiforge';
 * const gru = new nn.GRU(4, 8);
 * const [output, hidden] = gru.forward(randn([5, 4]), zeros([1, 8]));
 * output.shape; // [5, 8]
 * hidden.shape; // [1, 8]
 */
export class GRU extends RNNBase {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    gruTakes.check(new.target.name, arguments);
    super('GRU', inputSize, hiddenSize, options);
  }

  /** The hidden state of the last layer at each step, and that of each layer at its last step; `hx` is zeros if not given. */
  override forward(input: Tensor, hx?: Tensor | null): [output: Tensor, hidden: Tensor];
  override forward(input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, hidden: Tensor];
  override forward(input: never, hx: Tensor | null = null): [output: Tensor | PackedSequence, hidden: Tensor] {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    const [output, [hidden]] = this.run(input, orNull(hx));
    return [output, hidden!];
  }
}
