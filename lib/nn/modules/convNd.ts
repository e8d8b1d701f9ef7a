import { noGrad } from '../../autograd/modes.js';
import { AiforgeError } from '../../errors.js';
import { empty, emptyLike } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import { fans } from '../init/gain.js';
import { kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import type { ConvolutionPadding, PaddingMode } from '../operators/convolution.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { pythonTuple } from '../printing/printing.js';
import type { FactoryOptions } from './linear.js';
import { tupleOf, type AnySize } from './sizes.js';
import { nothing } from '../../signature.js';

/** What a convolution finds beyond the edges of its input. */
export type ConvPaddingMode = 'zeros' | Exclude<PaddingMode, 'constant'>;

export interface ConvNdOptions extends FactoryOptions {
  stride?: AnySize;
  padding?: AnySize | 'same' | 'valid';
  dilation?: AnySize;
  outputPadding?: AnySize;
  groups?: number;
  bias?: boolean;
  paddingMode?: ConvPaddingMode;
}

function reject(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', problem);
}

/** What convolutions and transposed convolutions share: their settings, weight, bias, first values and text. */
export abstract class ConvNd<P extends ConvolutionPadding> extends Module {
  inChannels: number;
  outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: P;
  readonly dilation: readonly number[];
  readonly transposed: boolean;
  readonly outputPadding: readonly number[];
  readonly groups: number;
  readonly paddingMode: ConvPaddingMode;
  weight: Parameter;
  bias: Parameter | null;

  protected constructor(
    dims: number,
    transposed: boolean,
    inChannels: number,
    outChannels: number,
    kernelSize: AnySize,
    options: ConvNdOptions,
  ) {
    super();
    const name = this.constructor.name;
    const { stride = 1, padding = 0, dilation = 1, outputPadding = 0, ...others } = options;
    const { groups = 1, bias = true, paddingMode = 'zeros', ...factory } = others;
    this.transposed = transposed;
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = tupleOf(name, 'kernelSize', kernelSize, dims);
    this.stride = tupleOf(name, 'stride', stride, dims);
    this.padding = this.readPadding(padding, dims);
    this.dilation = tupleOf(name, 'dilation', dilation, dims);
    this.outputPadding = tupleOf(name, 'outputPadding', outputPadding, dims);
    this.groups = this.checkGroups(groups);
    this.paddingMode = paddingMode;
    const [first, second] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    this.weight = new Parameter(empty([first, second / groups, ...this.kernelSize], factory));
    this.bias = bias ? new Parameter(empty([outChannels], factory)) : null;
    this.resetParameters();
    noteMembers(this);
  }

  private readPadding(padding: AnySize | 'same' | 'valid', dims: number): P {
    const name = this.constructor.name;
    if (typeof padding !== 'string' || this.transposed) return tupleOf(name, 'padding', padding as AnySize, dims) as P;
    if (padding === 'same' && this.stride.some((step) => step !== 1)) {
      reject(`${name}: padding 'same' needs a stride of 1, got [${this.stride.join(', ')}]; give padding as numbers.`);
    }
    return padding as P;
  }

  private checkGroups(groups: number): number {
    const { inChannels, outChannels } = this;
    const name = this.constructor.name;
    for (const [channels, count] of Object.entries({ inChannels, outChannels })) {
      if (count % groups !== 0) reject(`${name}: ${channels} must be divisible by groups, got ${count} and ${groups}.`);
    }
    return groups;
  }

  /** Draws weight and bias anew, as the constructor does. */
  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    const { weight, bias } = this;
    const a = Math.sqrt(5);
    if (weight.isContiguous()) kaimingUniform_(weight, { a });
    else {
      // Drawn in the order of the dimensions, whatever the order in memory.
      const drawn = (): unknown =>
        weight.copy_(kaimingUniform_(emptyLike(weight, { memoryFormat: 'contiguous_format' }), { a }));
      scope(() => noGrad(() => void drawn()));
    }
    if (bias === null) return;
    const { fan_in: fanIn } = fans(weight);
    const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
    uniform_(bias, -bound, bound);
  }

  override extraRepr(): string {
    const { padding, dilation, outputPadding, groups, paddingMode } = this;
    const parts = [
      `${this.inChannels}, ${this.outChannels}`,
      `kernel_size=${pythonTuple(this.kernelSize)}, stride=${pythonTuple(this.stride)}`,
    ];
    if (typeof padding === 'string') parts.push(`padding=${padding}`);
    else if (padding.some((size) => size !== 0)) parts.push(`padding=${pythonTuple(padding)}`);
    if (dilation.some((step) => step !== 1)) parts.push(`dilation=${pythonTuple(dilation)}`);
    if (outputPadding.some((size) => size !== 0)) parts.push(`output_padding=${pythonTuple(outputPadding)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (this.bias === null) parts.push('bias=False');
    if (paddingMode !== 'zeros') parts.push(`padding_mode=${paddingMode}`);
    return parts.join(', ');
  }
}
