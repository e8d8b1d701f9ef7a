import { boolean, oneOf, orNull, type Kind, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { interpolate, type InterpolationMode } from '../functional/upsampling.js';
import { Module } from '../module.js';
import { pythonFloat } from '../printing/printing.js';
import { pythonSize, sizes, ratios, type AnySize, type Size2 } from './sizes.js';
import { refuseSurplus } from '../checks.js';

/** Exactly one of `size` and `scaleFactor` must be given. */
export interface UpsamplingOptions<S extends AnySize> {
  /** The sizes of the output, in elements. */
  size?: S | null;
  /** The sizes of the output as multiples of the input's. */
  scaleFactor?: S | null;
}

const upsamplingOptions: Kinds<UpsamplingOptions<AnySize>> = { size: orNull(sizes), scaleFactor: orNull(ratios) };

export interface UpsampleOptions extends UpsamplingOptions<AnySize> {
  /** How new values come about. Default: `'nearest'`. */
  mode?: InterpolationMode;
  /** Whether corners keep their values; for the linear and cubic modes only. Default: false. */
  alignCorners?: boolean | null;
  /** Whether the scale is computed again from the output's size. Default: false. */
  recomputeScaleFactor?: boolean | null;
}

const interpolationMode: Kind<InterpolationMode> = oneOf(
  'nearest',
  'nearest-exact',
  'linear',
  'bilinear',
  'bicubic',
  'trilinear',
  'area',
  'lanczos',
);

const upsampleOptions: Kinds<UpsampleOptions> = {
  ...upsamplingOptions,
  mode: interpolationMode,
  alignCorners: orNull(boolean),
  recomputeScaleFactor: orNull(boolean),
};

const upsampleTakes = signature({}, upsampleOptions);

/**
 * The input at another size: `'nearest'` and `'nearest-exact'` repeat values, `'linear'` (3 dimensions), `'bilinear'` and
 * `'bicubic'` (4), and `'trilinear'` (5) interpolate.
 *
 * From `[N, C, W]`, `[N, C, H, W]` or `[N, C, D, H, W]` to the same with `W_out = floor(W * scaleFactor)` and so on, or with
 * the sizes given. As `torch.nn.Upsample`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in forward, unless exactly one of `size` and `scaleFactor` is given, and for a mode
 * that does not fit the input.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const image = tensor([[[[1, 2]]]]).to('float32');
 * new nn.Upsample({ scaleFactor: 2 }).forward(image).tolist(); // [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
 */
export class Upsample extends Module {
  readonly size: AnySize | null;
  readonly scaleFactor: AnySize | null;
  readonly mode: InterpolationMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;

  constructor(options: UpsampleOptions = {}) {
    upsampleTakes.check(new.target.name, arguments);
    super();
    const { size = null, scaleFactor = null, mode = 'nearest' } = options;
    this.size = size;
    this.scaleFactor = scaleFactor;
    this.mode = mode;
    this.alignCorners = options.alignCorners ?? null;
    this.recomputeScaleFactor = options.recomputeScaleFactor ?? null;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return interpolate(input, size, scaleFactor, mode, alignCorners, recomputeScaleFactor);
  }

  override extraRepr(): string {
    const { size, scaleFactor } = this;
    const change =
      scaleFactor === null
        ? `size=${size === null ? 'None' : pythonSize(size)}`
        : `scale_factor=${pythonSize(scaleFactor, pythonFloat)}`;
    return `${change}, mode='${this.mode}'`;
  }
}

const upsamplingTakes = signature({}, upsamplingOptions);

/**
 * Images at another size, by repeating the nearest pixel.
 *
 * From `[N, C, H, W]` to `[N, C, H_out, W_out]`, with `H_out = floor(H * scaleFactor)` or the size given. As
 * `torch.nn.UpsamplingNearest2d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.UpsamplingNearest2d({ scaleFactor: 2 }).forward(zeros([1, 1, 2, 3])).shape; // [1, 1, 4, 6]
 */
export class UpsamplingNearest2d extends Upsample {
  constructor(options: UpsamplingOptions<Size2> = {}) {
    upsamplingTakes.check(new.target.name, arguments);
    const { size = null, scaleFactor = null } = options;
    super({ size, scaleFactor, mode: 'nearest' });
  }
}

/**
 * Images at another size, by bilinear interpolation that keeps the corners.
 *
 * From `[N, C, H, W]` to `[N, C, H_out, W_out]`, with `H_out = floor(H * scaleFactor)` or the size given. As
 * `torch.nn.UpsamplingBilinear2d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const row = tensor([[[[0, 1]]]]).to('float32');
 * new nn.UpsamplingBilinear2d({ size: [1, 3] }).forward(row).tolist(); // [[[[0, 0.5, 1]]]]
 */
export class UpsamplingBilinear2d extends Upsample {
  constructor(options: UpsamplingOptions<Size2> = {}) {
    upsamplingTakes.check(new.target.name, arguments);
    const { size = null, scaleFactor = null } = options;
    super({ size, scaleFactor, mode: 'bilinear', alignCorners: true });
  }
}
