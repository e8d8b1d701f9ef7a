import { count, size } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/index.js';
import { fraction, wholeFrom, type TransformContext } from '../draws.js';
import { wholeAboveOne } from '../numbers.js';
import { refusal } from '../image.js';
import { autoAugmentSpace } from './autoAugment.js';
import { Augment, augmentOptions, bits, ofPixels, strengths, type AugmentOptions, type Space } from './operations.js';

export interface RandAugmentOptions extends AugmentOptions {
  /** How many operations an image gets. Default: 2. */
  numOps?: number;
  /** Which strength all operations have, from 0. Default: 9. */
  magnitude?: number;
  /** How many strengths there are. Default: 31. */
  numMagnitudeBins?: number;
}

const randTakes = signature<RandAugmentOptions>(
  {},
  { numOps: count, magnitude: size, numMagnitudeBins: wholeAboveOne, ...augmentOptions },
);

const identity: Space = [['Identity', null, false]];
const randSpace: Space = [...identity, ...autoAugmentSpace];

/**
 * Some operations that are drawn, all of one strength. As `torchvision.transforms.v2.RandAugment`; "RandAugment: Practical
 * automated data augmentation with a reduced search space" (Cubuk et al., 2020).
 *
 * @throws AiforgeError INVALID_ARGUMENT for a strength that there is not.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandAugment({ numOps: 1 }).forward(ones([3, 32, 32]).to('uint8')).shape; // [3, 32, 32]
 */
export class RandAugment extends Augment {
  readonly numOps: number;
  readonly magnitude: number;
  readonly numMagnitudeBins: number;

  constructor(options: RandAugmentOptions = {}) {
    randTakes.check(new.target.name, arguments);
    const { numOps = 2, magnitude = 9, numMagnitudeBins = 31 } = options;
    if (magnitude >= numMagnitudeBins) {
      throw refusal(new.target.name, `magnitude must be below numMagnitudeBins, ${numMagnitudeBins}, got ${magnitude}`);
    }
    super(options);
    this.numOps = numOps;
    this.magnitude = magnitude;
    this.numMagnitudeBins = numMagnitudeBins;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const dimensions = this.sizeOf(image);
    let current = image;
    for (let i = 0; i < this.numOps; ++i) {
      const [operation, of, isSigned] = randSpace[wholeFrom(0, randSpace.length, context)]!;
      let value = of === null ? 0 : Number(of(this.numMagnitudeBins, dimensions).at(this.magnitude).item());
      if (isSigned && fraction(context) <= 0.5) value = -value;
      current = this.operate(current, operation, value);
    }
    return current;
  }
}

export interface TrivialAugmentWideOptions extends AugmentOptions {
  /** How many strengths there are. Default: 31. */
  numMagnitudeBins?: number;
}

const trivialTakes = signature<TrivialAugmentWideOptions>({}, { numMagnitudeBins: wholeAboveOne, ...augmentOptions });

const wide = strengths({
  shear: 0.99,
  translateX: ofPixels(32),
  translateY: ofPixels(32),
  rotate: 135,
  color: 0.99,
  bits: bits(8, 6),
});
const wideSpace: Space = [...identity, ...wide.warps, ...wide.colors, ...wide.levels, ...wide.whole];

/**
 * One operation of a random strength. As `torchvision.transforms.v2.TrivialAugmentWide`; "TrivialAugment: Tuning-free Yet
 * State-of-the-Art Data Augmentation" (Müller and Hutter, 2021).
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.TrivialAugmentWide().forward(ones([3, 32, 32]).to('uint8')).shape; // [3, 32, 32]
 */
export class TrivialAugmentWide extends Augment {
  readonly numMagnitudeBins: number;

  constructor(options: TrivialAugmentWideOptions = {}) {
    trivialTakes.check(new.target.name, arguments);
    super(options);
    this.numMagnitudeBins = options.numMagnitudeBins ?? 31;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const dimensions = this.sizeOf(image);
    const [operation, of, isSigned] = wideSpace[wholeFrom(0, wideSpace.length, context)]!;
    if (of === null) return this.operate(image, operation, 0);
    const bins = this.numMagnitudeBins;
    let value = Number(
      of(bins, dimensions)
        .at(wholeFrom(0, bins, context))
        .item(),
    );
    if (isSigned && fraction(context) <= 0.5) value = -value;
    return this.operate(image, operation, value);
  }
}
