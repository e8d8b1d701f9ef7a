import { empty } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkSize } from '../checks.js';
import { ones_, zeros_ } from '../init.js';
import type { FactoryOptions } from './linear.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { Parameter } from '../parameter.js';
import { pythonBoolean, pythonFloat, pythonTuple } from '../printing.js';

export interface LayerNormOptions extends FactoryOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Whether there are a learnt weight and bias. Default: true. */
  elementwiseAffine?: boolean;
  /** Whether there is a learnt bias beside the weight. Default: true. */
  bias?: boolean;
}

/** Normalises over the last dimensions, whose sizes are `normalizedShape`. As `torch.nn.LayerNorm`. */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    normalizedShape: number | readonly number[],
    { eps = 1e-5, elementwiseAffine = true, bias = true, ...factory }: LayerNormOptions = {},
  ) {
    super();
    const shape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    shape.forEach((size) => checkSize('LayerNorm', 'normalizedShape', size));
    this.normalizedShape = shape;
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(empty(shape, factory)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(empty(shape, factory)) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    return operators.layerNorm(input, this.normalizedShape, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return (
      `${pythonTuple(this.normalizedShape)}, eps=${pythonFloat(this.eps)}, ` +
      `elementwise_affine=${pythonBoolean(this.elementwiseAffine)}, bias=${pythonBoolean(this.bias !== null)}`
    );
  }
}
