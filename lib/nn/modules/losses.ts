import { orNull } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { reductionNumber, type Reduction } from '../operators.js';
import { tensorKind } from '../../tensor/kinds.js';
import { reductionOptions } from '../functional/reductions.js';

/** A module that compares predictions with targets. */
export interface Loss extends Module {
  forward(input: Tensor, target: Tensor): Tensor;
}

/** What all losses have: how the losses of the elements become the result. */
export abstract class ReducedLoss<R extends string = Reduction> extends Module {
  readonly reduction: R;
  /** LibTorch's number of the reduction. */
  protected readonly reductionNumber: number;

  protected constructor(reduction: R, numberOf: (reduction: R) => number) {
    super();
    this.reductionNumber = numberOf(reduction);
    this.reduction = reduction;
  }
}

const plainLossTakes = signature({}, reductionOptions);

/** A loss of a plain reduction. */
export abstract class PlainLoss extends ReducedLoss {
  constructor(options: { reduction?: Reduction } = {}) {
    plainLossTakes.check(new.target.name, arguments);
    const { reduction = 'mean' } = options;
    super(reduction, reductionNumber);
  }
}

interface WeightedLossOptions {
  weight?: Tensor | null;
  reduction?: Reduction;
}

const weightedLossTakes = signature<WeightedLossOptions>({}, { weight: orNull(tensorKind), ...reductionOptions });

/** A loss with a weight for each class or element, which is a buffer. */
export abstract class WeightedLoss extends PlainLoss {
  declare weight: Tensor | null;

  constructor(options: WeightedLossOptions = {}) {
    weightedLossTakes.check(new.target.name, arguments);
    const { weight = null, reduction = 'mean' } = options;
    super({ reduction });
    this.registerBuffer('weight', weight);
  }
}
