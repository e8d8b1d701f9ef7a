import { AiforgeError } from '../../errors.js';
import { boolean, number, size, count, orNull, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { empty } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkGroups } from '../functional/normChecks.js';
import { ones_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { pythonBoolean, pythonFloat, pythonTuple } from '../printing/printing.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { sizes } from './sizes.js';
import { checkInput, refuseSurplus } from '../checks.js';

const listOfSizes = (shape: number | readonly number[]): readonly number[] =>
  typeof shape === 'number' ? [shape] : [...shape];

export interface LayerNormOptions extends FactoryOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Whether there are a learnt weight and bias. Default: true. */
  elementwiseAffine?: boolean;
  /** Whether there is a learnt bias beside the weight. Default: true. */
  bias?: boolean;
}

const layerNormOptions: Kinds<LayerNormOptions> = {
  eps: number,
  elementwiseAffine: boolean,
  bias: boolean,
  ...factoryOptions,
};

const layerNormTakes = signature({ normalizedShape: sizes }, layerNormOptions);

/**
 * Normalises over the last dimensions, whose sizes are `normalizedShape`:
 * `(x - mean) / sqrt(variance + eps) * weight + bias`, from [*, ...normalizedShape] to the same shape. As
 * `torch.nn.LayerNorm`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.LayerNorm([4, 5]).forward(randn([2, 3, 4, 5])).shape; // [2, 3, 4, 5]
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    layerNormTakes.check(new.target.name, arguments);
    const { eps = 1e-5, elementwiseAffine = true, bias = true, ...factory } = options;
    super();
    const shape = listOfSizes(normalizedShape);
    this.normalizedShape = shape;
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(empty(shape, factory)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(empty(shape, factory)) : null;
    this.resetParameters();
    noteMembers(this);
  }

  /** Sets the weight to 1 and the bias to 0. */
  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.layerNorm(input, this.normalizedShape, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return (
      `${pythonTuple(this.normalizedShape)}, eps=${pythonFloat(this.eps)}, ` +
      `elementwise_affine=${pythonBoolean(this.elementwiseAffine)}, bias=${pythonBoolean(this.bias !== null)}`
    );
  }
}

export interface GroupNormLayerOptions extends FactoryOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Whether each channel has a learnt weight and bias. Default: true. */
  affine?: boolean;
  /** Whether there is a learnt bias beside the weight. Default: true. */
  bias?: boolean;
}

const groupNormOptions: Kinds<GroupNormLayerOptions> = {
  eps: number,
  affine: boolean,
  ...factoryOptions,
  bias: boolean,
};

const groupNormTakes = signature({ numGroups: count, numChannels: size }, groupNormOptions);

/**
 * Normalises each of `numGroups` groups of the `numChannels` channels of each sample:
 * `(x - mean) / sqrt(variance + eps) * weight + bias`, from [N, C, *] to the same shape. As `torch.nn.GroupNorm`.
 *
 * Throws `INVALID_ARGUMENT` when the channels do not divide into groups, and for a single value per group.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.GroupNorm(3, 6).forward(randn([2, 6, 4, 4])).shape; // [2, 6, 4, 4]
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormLayerOptions = {}) {
    groupNormTakes.check(new.target.name, arguments);
    const { eps = 1e-5, affine = true, bias = true, ...factory } = options;
    super();
    if (!Number.isInteger(numChannels / numGroups)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `GroupNorm: numChannels (${numChannels}) must be divisible by numGroups (${numGroups}).`,
      );
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.affine = affine;
    this.weight = affine ? new Parameter(empty([numChannels], factory)) : null;
    this.bias = affine && bias ? new Parameter(empty([numChannels], factory)) : null;
    this.resetParameters();
    noteMembers(this);
  }

  /** Sets the weight to 1 and the bias to 0. */
  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput('GroupNorm', input);
    // A group of a single value needs fewer values than twice the groups: reading the shape costs more than this test.
    if (input.dim() < 2 || input.numel() < 2 * this.numGroups) checkGroups(input.shape, this.numGroups);
    return operators.groupNorm(input, this.numGroups, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return (
      `${this.numGroups}, ${this.numChannels}, eps=${pythonFloat(this.eps)}, ` +
      `affine=${pythonBoolean(this.affine)}, bias=${pythonBoolean(this.bias !== null)}`
    );
  }
}

export interface RMSNormOptions extends FactoryOptions {
  /** Added to the mean square. Default: the step after 1 of the input's dtype. */
  eps?: number | null;
  /** Whether there is a learnt weight. Default: true. */
  elementwiseAffine?: boolean;
}

const rmsNormOptions: Kinds<RMSNormOptions> = { eps: orNull(number), elementwiseAffine: boolean, ...factoryOptions };

const rmsNormTakes = signature({ normalizedShape: sizes }, rmsNormOptions);

/**
 * Divides by the root of the mean square over the last dimensions, whose sizes are `normalizedShape`:
 * `x / sqrt(mean(x²) + eps) * weight`, from [*, ...normalizedShape] to the same shape. As `torch.nn.RMSNorm`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.RMSNorm(2, { elementwiseAffine: false }).forward(tensor([[3, 3]], { dtype: 'float32' })); // tensor([[1., 1.]])
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}) {
    rmsNormTakes.check(new.target.name, arguments);
    const { eps = null, elementwiseAffine = true, ...factory } = options;
    super();
    this.normalizedShape = listOfSizes(normalizedShape);
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(empty(this.normalizedShape, factory)) : null;
    this.resetParameters();
    noteMembers(this);
  }

  /** Sets the weight to 1. */
  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    if (this.weight !== null) ones_(this.weight);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.rmsNorm(input, this.normalizedShape, this.weight, this.eps);
  }

  override extraRepr(): string {
    const eps = this.eps === null ? 'None' : pythonFloat(this.eps);
    return `${pythonTuple(this.normalizedShape)}, eps=${eps}, elementwise_affine=${pythonBoolean(this.elementwiseAffine)}`;
  }
}
