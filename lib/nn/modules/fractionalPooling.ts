import { AiforgeError } from '../../errors.js';
import { boolean, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as functional from '../functional/fractionalPooling.js';
import { perDimension } from '../functional/sizes.js';
import { Module } from '../module.js';
import type { Pooled } from './maxPooling.js';
import { tupleOf, sizes, ratios, type AnySize, type Size2, type Size3 } from './sizes.js';
import { tensorKind } from '../../tensor/kinds.js';
import { refuseSurplus } from '../checks.js';

/** Exactly one of `outputSize` and `outputRatio` must be given. */
export interface FractionalMaxPoolLayerOptions<S extends AnySize, WithIndices extends boolean> {
  /** The sizes of the output, in elements. */
  outputSize?: S | null;
  /** The sizes of the output as fractions of the input's, between 0 and 1. */
  outputRatio?: S | null;
  /** Whether to give the places of the maxima too, which `MaxUnpool` takes. Default: false. */
  returnIndices?: WithIndices;
  /** Where the windows lie, between 0 and 1: `[N, C, dimensions]`. Default: drawn in every call. */
  _randomSamples?: Tensor | null;
}

const fractionalMaxPoolOptions: Kinds<FractionalMaxPoolLayerOptions<AnySize, boolean>> = {
  outputSize: orNull(sizes),
  outputRatio: orNull(ratios),
  returnIndices: boolean,
  _randomSamples: orNull(tensorKind),
};

abstract class FractionalMaxPool<S extends AnySize, WithIndices extends boolean> extends Module {
  readonly kernelSize: readonly number[];
  readonly returnIndices: boolean;
  declare _randomSamples: Tensor | null;
  readonly outputSize: readonly number[] | null;
  readonly outputRatio: readonly number[] | null;

  constructor(dims: number, kernelSize: S, options: FractionalMaxPoolLayerOptions<S, WithIndices>) {
    super();
    const { outputSize = null, outputRatio = null, returnIndices, _randomSamples = null } = options;
    const name = this.constructor.name;
    this.kernelSize = tupleOf(name, 'kernelSize', kernelSize, dims);
    if (!this.kernelSize.every((size) => size > 0)) {
      reject(name, `kernelSize must be greater than 0, got ${this.kernelSize.join(', ')}`);
    }
    this.returnIndices = returnIndices ?? false;
    this.registerBuffer('_randomSamples', _randomSamples);
    if ((outputSize === null) === (outputRatio === null)) {
      reject(name, 'exactly one of outputSize and outputRatio must be given');
    }
    this.outputSize = outputSize === null ? null : tupleOf(name, 'outputSize', outputSize, dims);
    this.outputRatio = outputRatio === null ? null : [...perDimension(outputRatio, dims)];
    if (this.outputRatio?.every((ratio) => ratio > 0 && ratio < 1) === false) {
      reject(name, `outputRatio must be between 0 and 1, got ${this.outputRatio.join(', ')}`);
    }
  }
}

function reject(name: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}.`);
}

const fractionalMaxPoolTakes = signature({ kernelSize: sizes }, fractionalMaxPoolOptions);

/**
 * The greatest value of each of `outputSize` windows of images whose places are drawn at random, in training and in
 * evaluation.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, S_0, S_1]` or `[C, S_0, S_1]`. Benjamin Graham, Fractional Max-Pooling, 2014. As
 * `torch.nn.FractionalMaxPool2d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT unless exactly one of `outputSize` and `outputRatio` is given, and for a ratio that
 * is not between 0 and 1.
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.FractionalMaxPool2d(3, { outputSize: [13, 12] }).forward(randn([20, 16, 50, 32])).shape; // [20, 16, 13, 12]
 */
export class FractionalMaxPool2d<WithIndices extends boolean = false> extends FractionalMaxPool<Size2, WithIndices> {
  constructor(kernelSize: Size2, options: FractionalMaxPoolLayerOptions<Size2, WithIndices> = {}) {
    fractionalMaxPoolTakes.check(new.target.name, arguments);
    super(2, kernelSize, options);
  }

  override forward(input: Tensor): Pooled<WithIndices> {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { kernelSize, outputSize, outputRatio, _randomSamples } = this;
    const pooled = functional.fractionalMaxPool2d(input, kernelSize, {
      outputSize,
      outputRatio,
      returnIndices: true,
      _randomSamples,
    });
    return (this.returnIndices ? pooled : pooled[0]) as Pooled<WithIndices>;
  }
}

/**
 * The greatest value of each of `outputSize` windows of volumes whose places are drawn at random, in training and in
 * evaluation.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, S_0, S_1, S_2]` or `[C, S_0, S_1, S_2]`. Benjamin Graham, Fractional Max-Pooling, 2014. As
 * `torch.nn.FractionalMaxPool3d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT unless exactly one of `outputSize` and `outputRatio` is given, and for a ratio that
 * is not between 0 and 1.
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.FractionalMaxPool3d(2, { outputRatio: 0.5 }).forward(randn([2, 4, 10, 8, 6])).shape; // [2, 4, 5, 4, 3]
 */
export class FractionalMaxPool3d<WithIndices extends boolean = false> extends FractionalMaxPool<Size3, WithIndices> {
  constructor(kernelSize: Size3, options: FractionalMaxPoolLayerOptions<Size3, WithIndices> = {}) {
    fractionalMaxPoolTakes.check(new.target.name, arguments);
    super(3, kernelSize, options);
  }

  override forward(input: Tensor): Pooled<WithIndices> {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { kernelSize, outputSize, outputRatio, _randomSamples } = this;
    const pooled = functional.fractionalMaxPool3d(input, kernelSize, {
      outputSize,
      outputRatio,
      returnIndices: true,
      _randomSamples,
    });
    return (this.returnIndices ? pooled : pooled[0]) as Pooled<WithIndices>;
  }
}
