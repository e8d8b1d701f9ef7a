import type { Tensor } from '../../tensor/tensor.js';
import * as functional from '../functional.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';

/** A module that compares predictions with targets. */
export interface Loss extends Module {
  forward(input: Tensor, target: Tensor): Tensor;
}

/** The cross entropy of logits [batch, classes, …] with class numbers or probabilities; `weight` is a buffer. */
export class CrossEntropyLoss extends Module {
  declare weight: Tensor | null;
  readonly reduction: functional.Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  private readonly reductionNumber: number;

  constructor(options: functional.CrossEntropyOptions = {}) {
    super();
    const { weight = null, reduction = 'mean', ignoreIndex = -100, labelSmoothing = 0 } = options;
    this.reductionNumber = operators.reductionNumber(reduction);
    this.reduction = reduction;
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
    this.registerBuffer('weight', weight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return operators.crossEntropyLoss(
      input,
      target,
      this.weight,
      this.reductionNumber,
      this.ignoreIndex,
      this.labelSmoothing,
    );
  }
}

/** The negative log likelihood of classes, from log probabilities; `weight` is a buffer. */
export class NLLLoss extends Module {
  declare weight: Tensor | null;
  readonly reduction: functional.Reduction;
  readonly ignoreIndex: number;
  private readonly reductionNumber: number;

  constructor({ weight = null, reduction = 'mean', ignoreIndex = -100 }: functional.NllLossOptions = {}) {
    super();
    this.reductionNumber = operators.reductionNumber(reduction);
    this.reduction = reduction;
    this.ignoreIndex = ignoreIndex;
    this.registerBuffer('weight', weight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return operators.nllLoss(input, target, this.weight, this.reductionNumber, this.ignoreIndex);
  }
}

abstract class ElementLoss extends Module {
  readonly reduction: functional.Reduction;
  protected readonly options: functional.ReductionOptions;

  constructor({ reduction = 'mean' }: functional.ReductionOptions = {}) {
    super();
    operators.reductionNumber(reduction);
    this.reduction = reduction;
    this.options = { reduction };
  }
}

/** The squared error. */
export class MSELoss extends ElementLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.mseLoss(input, target, this.options);
  }
}

/** The absolute error. */
export class L1Loss extends ElementLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.l1Loss(input, target, this.options);
  }
}

/** The binary cross entropy of logits; `weight` and `posWeight` are buffers. */
export class BCEWithLogitsLoss extends Module {
  declare weight: Tensor | null;
  declare posWeight: Tensor | null;
  readonly reduction: functional.Reduction;

  constructor({ weight = null, posWeight = null, reduction = 'mean' }: functional.BinaryCrossEntropyOptions = {}) {
    super();
    operators.reductionNumber(reduction);
    this.reduction = reduction;
    this.registerBuffer('weight', weight);
    this.registerBuffer('posWeight', posWeight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, posWeight, reduction } = this;
    return functional.binaryCrossEntropyWithLogits(input, target, { weight, posWeight, reduction });
  }
}
