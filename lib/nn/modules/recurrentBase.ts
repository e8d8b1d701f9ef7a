import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { boolean, fraction, size, count, oneOf, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { currentContext } from '../../tensor/context/context.js';
import { empty } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { flattenForCudnn } from '../operators/cudnnWeights.js';
import { recurrent, zeroStates, type RecurrentMode } from '../operators/recurrent.js';
import { PackedSequence } from '../packing/packedSequence.js';
import { Parameter } from '../parameter.js';
import { pythonFloat } from '../printing/printing.js';
import { converted, noteMembers } from '../members/registry.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { checkInput } from '../checks.js';

export interface RecurrentOptions extends FactoryOptions {
  /** How many layers lie on one another. Default: 1. */
  numLayers?: number;
  /** Whether the gates have biases. Default: true. */
  bias?: boolean;
  /** Whether input and output are [batch, length, features] and not [length, batch, features]. Default: false. */
  batchFirst?: boolean;
  /** The probability to drop an output of each layer but the last, in training. Default: 0. */
  dropout?: number;
  /** Whether a second network reads the sequence from its end. Default: false. */
  bidirectional?: boolean;
}

export const recurrentOptions: Kinds<RecurrentOptions> = {
  numLayers: count,
  bias: boolean,
  batchFirst: boolean,
  dropout: fraction,
  bidirectional: boolean,
  ...factoryOptions,
};

export interface RecurrentBaseOptions extends RecurrentOptions {
  /** The size that the states of an LSTM are projected to. Default: 0, they are not. */
  projSize?: number;
}

export const recurrentBaseOptions: Kinds<RecurrentBaseOptions> = { ...recurrentOptions, projSize: size };

const gates: Record<RecurrentMode, number> = { LSTM: 4, GRU: 3, RNN_TANH: 1, RNN_RELU: 1 };

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;

function checkProjection(name: string, hiddenSize: number, projSize: number): void {
  if (projSize < hiddenSize) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: projSize must be below hiddenSize (${hiddenSize}), or 0 for no projection, got ${projSize}.`,
  );
}

function warnOfDropout(name: string, dropout: number, numLayers: number): void {
  if (dropout === 0 || numLayers > 1) return;
  logger.warn(`${name}: dropout comes after all layers but the last: ${dropout} does nothing with one layer.`);
}

type WeightName = `${'weight' | 'bias'}${'Ih' | 'Hh' | 'Hr'}L${number}${'' | 'Reverse'}`;

const rnnBaseTakes = signature(
  { mode: oneOf('RNN_TANH', 'RNN_RELU', 'LSTM', 'GRU'), inputSize: count, hiddenSize: count },
  recurrentBaseOptions,
);

/**
 * What RNN, LSTM and GRU share: the weights of every layer and direction, and the way from a batch, one sequence or packed
 * sequences to the operator. Weights and biases are drawn uniformly from ±1/sqrt(hiddenSize). As `torch.nn.RNNBase`.
 *
 * The weights' names are PyTorch's: `weightIhL0` is `weight_ih_l0`, `biasHhL1Reverse` is `bias_hh_l1_reverse`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes and options that make no sense.
 * @example
 * import { nn } from 'aiforge';
 * const layer = new nn.GRU(4, 8, { numLayers: 2, bidirectional: true });
 * layer instanceof nn.RNNBase; // true
 * layer.weightIhL1Reverse.shape; // [24, 16]
 * layer.allWeights.length; // 4
 */
export abstract class RNNBase extends Module {
  [weight: WeightName]: Parameter;

  readonly mode: RecurrentMode;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;
  // One list for each layer and direction.
  private readonly weightNames: WeightName[][];

  constructor(mode: RecurrentMode, inputSize: number, hiddenSize: number, options: RecurrentBaseOptions = {}) {
    rnnBaseTakes.check(new.target.name, arguments);
    super();
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = options;
    const { projSize = 0, device, dtype } = options;
    checkProjection(new.target.name, hiddenSize, projSize);
    warnOfDropout(new.target.name, dropout, numLayers);
    this.mode = mode;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.projSize = projSize;
    this.weightNames = [];
    for (let layer = 0; layer < numLayers; ++layer) {
      for (const suffix of bidirectional ? (['', 'Reverse'] as const) : ([''] as const)) {
        this.addWeights(layer, suffix, { device, dtype });
      }
    }
    this.flattenParameters();
    this.resetParameters();
    noteMembers(this);
  }

  private addWeights(layer: number, suffix: '' | 'Reverse', factory: FactoryOptions): void {
    const { hiddenSize, projSize } = this;
    const rows = gates[this.mode] * hiddenSize;
    const stateSize = projSize > 0 ? projSize : hiddenSize;
    const columns = layer === 0 ? this.inputSize : stateSize * this.directions;
    const names: WeightName[] = [];
    const add = (name: WeightName, shape: number[]): void => {
      this[name] = new Parameter(empty(shape, factory));
      names.push(name);
    };
    add(`weightIhL${layer}${suffix}`, [rows, columns]);
    add(`weightHhL${layer}${suffix}`, [rows, stateSize]);
    if (this.bias) {
      add(`biasIhL${layer}${suffix}`, [rows]);
      add(`biasHhL${layer}${suffix}`, [rows]);
    }
    if (projSize > 0) add(`weightHrL${layer}${suffix}`, [projSize, hiddenSize]);
    this.weightNames.push(names);
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const weight of this.parameters()) uniform_(weight, -bound, bound);
  }

  /** The weights of each layer and direction: input, hidden state, their biases, projection, as far as there are. */
  get allWeights(): Parameter[][] {
    return this.weightNames.map((names) => names.map((name) => this[name]!));
  }

  /**
   * Lays the weights out one after the other, as cuDNN reads them: elsewhere each step would copy them. Moving and converting does
   * so; needed only after weights were assigned. Does nothing on the CPU.
   */
  flattenParameters(): void {
    nothing.check('flattenParameters', arguments);
    flattenForCudnn(this.mode, this.allWeights, this);
  }

  override [converted](): void {
    this.flattenParameters();
  }

  private get directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  /** The sizes of the states for a batch: the hidden one and, for an LSTM, the cell's. */
  private stateSizes(batch: number): number[][] {
    const layers = this.numLayers * this.directions;
    const hidden = [layers, batch, this.projSize > 0 ? this.projSize : this.hiddenSize];
    return this.mode === 'LSTM' ? [hidden, [layers, batch, this.hiddenSize]] : [hidden];
  }

  /** The output and the last states, from the states given or from zeros. */
  protected run(input: Tensor, hx: readonly Tensor[] | null): [output: Tensor, states: Tensor[]];
  protected run(input: PackedSequence, hx: readonly Tensor[] | null): [output: PackedSequence, states: Tensor[]];
  protected run(
    input: Tensor | PackedSequence,
    hx: readonly Tensor[] | null,
  ): [output: Tensor | PackedSequence, states: Tensor[]] {
    return input instanceof PackedSequence ? this.runPacked(input, hx) : this.runPadded(input, hx);
  }

  private runPadded(input: Tensor, hx: readonly Tensor[] | null): [output: Tensor, states: Tensor[]] {
    checkInput(this.constructor.name, input);
    const dims = input.dim();
    if (dims !== 2 && dims !== 3) {
      throw this.refusal(`expected an input of 3 dimensions, or 2 without a batch, got ${list(input.shape)}`);
    }
    for (const state of hx ?? []) {
      if (state.dim() === dims) continue;
      throw this.refusal(`for an input of ${dims} dimensions hx must have ${dims} too, got ${list(state.shape)}`);
    }
    const batchDim = this.batchFirst ? 0 : 1;
    if (dims === 3) return this.compute(input, null, input.size(batchDim), hx);
    const states = hx?.map((state) => state.unsqueeze(1)) ?? null;
    const [output, last] = this.compute(input.unsqueeze(batchDim), null, 1, states);
    return [output.squeeze(batchDim), last.map((state) => state.squeeze(1))];
  }

  private runPacked(input: PackedSequence, hx: readonly Tensor[] | null): [output: PackedSequence, states: Tensor[]] {
    const { data, batchSizes, sortedIndices, unsortedIndices } = input;
    const order = (states: readonly Tensor[], indices: Tensor | null): readonly Tensor[] =>
      indices === null ? states : states.map((state) => state.indexSelect(1, indices));
    const batch = batchSizes.select(0, 0).item();
    const [output, last] = this.compute(data, batchSizes, batch, hx && order(hx, sortedIndices));
    const packed = new PackedSequence(output, batchSizes, { sortedIndices, unsortedIndices });
    return [packed, [...order(last, unsortedIndices)]];
  }

  private compute(
    input: Tensor,
    batchSizes: Tensor | null,
    batch: number,
    hx: readonly Tensor[] | null,
  ): [output: Tensor, states: Tensor[]] {
    const weights: Tensor[] = [];
    for (const names of this.weightNames) for (const name of names) weights.push(this[name]!);
    this.checkInput(input, weights[0]!, batchSizes === null ? 3 : 2);
    const sizes = this.stateSizes(batch);
    if (hx !== null) this.checkStates(hx, sizes);
    const states = hx ?? zeroStates(sizes, input);
    const [output, ...last] = recurrent(this.mode, input, batchSizes, states, weights, this);
    return [output, last];
  }

  private checkInput(input: Tensor, weight: Tensor, dims: number): void {
    // Autocast converts both.
    const { cpu, cuda } = currentContext().autocast;
    if (input.dtype !== weight.dtype && !cpu.enabled && !cuda.enabled) {
      throw this.refusal(
        `the input's dtype, ${input.dtype}, must be that of the weights, ${weight.dtype}: ` +
          `convert the input by to('${weight.dtype}'), or the module by to('${input.dtype}')`,
      );
    }
    const { shape } = input;
    if (shape.length !== dims) throw this.refusal(`expected an input of ${dims} dimensions, got ${list(shape)}`);
    if (shape.at(-1) === this.inputSize) return;
    throw this.refusal(`the input's last size must be inputSize, ${this.inputSize}, got ${list(shape)}`);
  }

  private checkStates(states: readonly Tensor[], sizes: readonly number[][]): void {
    for (const [i, expected] of sizes.entries()) {
      const got = list(states[i]!.shape);
      if (got !== list(expected)) throw this.refusal(`expected hx[${i}] of shape ${list(expected)}, got ${got}`);
    }
  }

  protected refusal(message: string): AiforgeError {
    return new AiforgeError('INVALID_ARGUMENT', `${this.constructor.name}: ${message}.`);
  }

  override extraRepr(): string {
    let text = `${this.inputSize}, ${this.hiddenSize}`;
    if (this.projSize !== 0) text += `, proj_size=${this.projSize}`;
    if (this.numLayers !== 1) text += `, num_layers=${this.numLayers}`;
    if (!this.bias) text += ', bias=False';
    if (this.batchFirst) text += ', batch_first=True';
    if (this.dropout !== 0) text += `, dropout=${pythonFloat(this.dropout)}`;
    if (this.bidirectional) text += ', bidirectional=True';
    return text;
  }
}
