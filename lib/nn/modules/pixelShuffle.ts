import { whole } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { pixelShuffle, pixelUnshuffle } from '../../tensor/generated/functions.js';
import { Module } from '../module.js';
import { refuseSurplus } from '../checks.js';

const pixelShuffleTakes = signature({ upscaleFactor: whole });

/**
 * Lays `upscaleFactor²` channels out as the pixels of a square, which makes images larger.
 *
 * From `[…, C * r², H, W]` to `[…, C, H * r, W * r]`, with `r = upscaleFactor`. As `torch.nn.PixelShuffle`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.PixelShuffle(3).forward(zeros([1, 9, 4, 4])).shape; // [1, 1, 12, 12]
 */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    pixelShuffleTakes.check(new.target.name, arguments);
    super();
    this.upscaleFactor = upscaleFactor;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return pixelShuffle(input, this.upscaleFactor);
  }

  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

const pixelUnshuffleTakes = signature({ downscaleFactor: whole });

/**
 * Makes channels of the pixels of each square of `downscaleFactor²`: the reverse of `PixelShuffle`.
 *
 * From `[…, C, H * r, W * r]` to `[…, C * r², H, W]`, with `r = downscaleFactor`. As `torch.nn.PixelUnshuffle`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.PixelUnshuffle(3).forward(zeros([1, 1, 12, 12])).shape; // [1, 9, 4, 4]
 */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    pixelUnshuffleTakes.check(new.target.name, arguments);
    super();
    this.downscaleFactor = downscaleFactor;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return pixelUnshuffle(input, this.downscaleFactor);
  }

  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}
