import { boolean, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { knownSizes, type AdaptiveSizes } from '../functional/sizes.js';
import { Module } from '../module.js';
import * as operators from '../operators/pooling.js';
import { pythonSize, openSizes, type Size1 } from './sizes.js';
import type { Pooled } from './maxPooling.js';
import { refuseSurplus } from '../checks.js';

/** A size for every spatial dimension, or one for each; null keeps the input's. */
export type AdaptiveSize2 = number | readonly [height: number | null, width: number | null];
export type AdaptiveSize3 = number | readonly [depth: number | null, height: number | null, width: number | null];

const adaptiveAvgPoolTakes = signature({ outputSize: openSizes });

abstract class AdaptiveAvgPool<S extends AdaptiveSizes> extends Module {
  readonly outputSize: S;

  constructor(outputSize: S) {
    adaptiveAvgPoolTakes.check(new.target.name, arguments);
    super();
    this.outputSize = outputSize;
  }

  override extraRepr(): string {
    return `output_size=${pythonSize(this.outputSize)}`;
  }
}

/**
 * The mean of each of `outputSize` windows that cover sequences evenly.
 *
 * Window `i` of `S` reaches from `floor(i * length / S)` to `ceil((i + 1) * length / S)`. From `[N, C, L]` or `[C, L]` to
 * `[N, C, S]` or `[C, S]`. As `torch.nn.AdaptiveAvgPool1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AdaptiveAvgPool1d(5).forward(randn([2, 3, 9])).shape; // [2, 3, 5]
 */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool<Size1> {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.adaptiveAvgPool1d(input, this.outputSize);
  }
}

/**
 * The mean of each of `outputSize` windows that cover images evenly; null keeps the size that the input has.
 *
 * Window `i` of `S` reaches from `floor(i * length / S)` to `ceil((i + 1) * length / S)`. From `[N, C, H, W]` or `[C, H, W]` to
 * `[N, C, S_0, S_1]` or `[C, S_0, S_1]`. As `torch.nn.AdaptiveAvgPool2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AdaptiveAvgPool2d([5, null]).forward(randn([2, 3, 9, 7])).shape; // [2, 3, 5, 7]
 */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool<AdaptiveSize2> {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.adaptiveAvgPool2d(input, knownSizes(input, this.outputSize));
  }
}

/**
 * The mean of each of `outputSize` windows that cover volumes evenly; null keeps the size that the input has.
 *
 * Window `i` of `S` reaches from `floor(i * length / S)` to `ceil((i + 1) * length / S)`. From `[N, C, D, H, W]` or `[C, D, H, W]` to
 * `[N, C, S_0, S_1, S_2]` or `[C, S_0, S_1, S_2]`. As `torch.nn.AdaptiveAvgPool3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AdaptiveAvgPool3d([3, null, 1]).forward(randn([2, 3, 9, 7, 5])).shape; // [2, 3, 3, 7, 1]
 */
export class AdaptiveAvgPool3d extends AdaptiveAvgPool<AdaptiveSize3> {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.adaptiveAvgPool3d(input, knownSizes(input, this.outputSize));
  }
}

export interface AdaptiveMaxPoolLayerOptions<WithIndices extends boolean> {
  /** Whether to give the places of the maxima too, which `MaxUnpool` takes. Default: false. */
  returnIndices?: WithIndices;
}

const adaptiveMaxPoolOptions: Kinds<AdaptiveMaxPoolLayerOptions<boolean>> = { returnIndices: boolean };

const adaptiveMaxPoolTakes = signature({ outputSize: openSizes }, adaptiveMaxPoolOptions);

abstract class AdaptiveMaxPool<S extends AdaptiveSizes, WithIndices extends boolean> extends Module {
  readonly outputSize: S;
  readonly returnIndices: boolean;

  constructor(outputSize: S, options: AdaptiveMaxPoolLayerOptions<WithIndices> = {}) {
    adaptiveMaxPoolTakes.check(new.target.name, arguments);
    const { returnIndices } = options;
    super();
    this.outputSize = outputSize;
    this.returnIndices = returnIndices ?? false;
  }

  protected abstract get pool(): operators.AdaptiveMaxPoolOperator;

  override forward(input: Tensor): Pooled<WithIndices> {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const pooled = this.pool(input, knownSizes(input, this.outputSize));
    return (this.returnIndices ? pooled : pooled[0]) as Pooled<WithIndices>;
  }

  override extraRepr(): string {
    return `output_size=${pythonSize(this.outputSize)}`;
  }
}

/**
 * The greatest value of each of `outputSize` windows that cover sequences evenly.
 *
 * The windows are those of `AdaptiveAvgPool1d`. From `[N, C, L]` or `[C, L]` to `[N, C, S]` or `[C, S]`. As
 * `torch.nn.AdaptiveMaxPool1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AdaptiveMaxPool1d(5).forward(randn([2, 3, 9])).shape; // [2, 3, 5]
 */
export class AdaptiveMaxPool1d<WithIndices extends boolean = false> extends AdaptiveMaxPool<Size1, WithIndices> {
  protected override get pool(): operators.AdaptiveMaxPoolOperator {
    return operators.adaptiveMaxPool1d;
  }
}

/**
 * The greatest value of each of `outputSize` windows that cover images evenly; null keeps the size that the input has.
 *
 * The windows are those of `AdaptiveAvgPool2d`. From `[N, C, H, W]` or `[C, H, W]` to `[N, C, S_0, S_1]` or `[C, S_0, S_1]`. As
 * `torch.nn.AdaptiveMaxPool2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AdaptiveMaxPool2d([5, null]).forward(randn([2, 3, 9, 7])).shape; // [2, 3, 5, 7]
 */
export class AdaptiveMaxPool2d<WithIndices extends boolean = false> extends AdaptiveMaxPool<
  AdaptiveSize2,
  WithIndices
> {
  protected override get pool(): operators.AdaptiveMaxPoolOperator {
    return operators.adaptiveMaxPool2d;
  }
}

/**
 * The greatest value of each of `outputSize` windows that cover volumes evenly; null keeps the size that the input has.
 *
 * The windows are those of `AdaptiveAvgPool3d`. From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, S_0, S_1, S_2]` or `[C, S_0, S_1, S_2]`. As
 * `torch.nn.AdaptiveMaxPool3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AdaptiveMaxPool3d([3, null, 1]).forward(randn([2, 3, 9, 7, 5])).shape; // [2, 3, 3, 7, 1]
 */
export class AdaptiveMaxPool3d<WithIndices extends boolean = false> extends AdaptiveMaxPool<
  AdaptiveSize3,
  WithIndices
> {
  protected override get pool(): operators.AdaptiveMaxPoolOperator {
    return operators.adaptiveMaxPool3d;
  }
}
