import { either, fraction, notNegative, orNull } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from '../tensor/index.js';
import { chance, fraction as drawFraction, shuffled, uniform, type TransformContext } from './draws.js';
import { adjustBrightness, adjustContrast, adjustSaturation } from './functional/adjust.js';
import { permuteChannels } from './functional/erase.js';
import { adjustHue } from './functional/hue.js';
import { colorShape } from './image.js';
import { between, rangeOf, type Range } from './numbers.js';
import { Transform } from './transform.js';

const factorsKind = rangeOf(notNegative);
const huesKind = rangeOf(between(-0.5, 0.5));
const hueKind = between(0, 0.5);

export interface ColorJitterOptions {
  /** How far the factor of brightness is from 1 at most, or its range. Default: 1. */
  brightness?: number | Range | null;
  /** How far the factor of contrast is from 1 at most, or its range. Default: 1. */
  contrast?: number | Range | null;
  /** How far the factor of saturation is from 1 at most, or its range. Default: 1. */
  saturation?: number | Range | null;
  /** How far hues are turned at most, 0 … 0.5, or the range. Default: not. */
  hue?: number | Range | null;
}

const factorKind = orNull(either<number, Range>(notNegative, factorsKind));
const takes = signature<ColorJitterOptions>(
  {},
  { brightness: factorKind, contrast: factorKind, saturation: factorKind, hue: orNull(either<number, Range>(hueKind, huesKind)) }, // prettier-ignore
);

function factorsOf(value: number | Range | null | undefined, center: number): Range | null {
  if (value === undefined || value === null) return null;
  const least = typeof value === 'number' && center === 1 ? Math.max(1 - value, 0) : undefined;
  const range: Range = typeof value === 'number' ? [least ?? center - value, center + value] : value;
  return range[0] === center && range[1] === center ? null : range;
}

const change = { brightness: adjustBrightness, contrast: adjustContrast, saturation: adjustSaturation, hue: adjustHue };
const properties = ['brightness', 'contrast', 'saturation', 'hue'] as const;

/**
 * Images with their brightness, contrast, saturation and hue changed by random factors, in a random order. As
 * `torchvision.transforms.v2.ColorJitter`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.ColorJitter({ brightness: 0.2, hue: 0.1 }).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class ColorJitter extends Transform {
  readonly brightness: Range | null;
  readonly contrast: Range | null;
  readonly saturation: Range | null;
  readonly hue: Range | null;

  constructor(options: ColorJitterOptions = {}) {
    takes.check(new.target.name, arguments);
    super();
    this.brightness = factorsOf(options.brightness, 1);
    this.contrast = factorsOf(options.contrast, 1);
    this.saturation = factorsOf(options.saturation, 1);
    this.hue = factorsOf(options.hue, 0);
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const order = shuffled(4, context);
    const factors = properties.map((each) => this[each] && uniform(...this[each], context));
    return order.reduce((current, i) => {
      const factor = factors[i]!;
      return factor === null ? current : change[properties[i]!](current, factor);
    }, image);
  }
}

export interface RandomPhotometricDistortOptions {
  /** The range of the factor of brightness. Default: [0.875, 1.125]. */
  brightness?: Range;
  /** The range of the factor of contrast. Default: [0.5, 1.5]. */
  contrast?: Range;
  /** The range of the factor of saturation. Default: [0.5, 1.5]. */
  saturation?: Range;
  /** The range that hues are turned by. Default: [-0.05, 0.05]. */
  hue?: Range;
  /** How probable each change is, 0 … 1. Default: 0.5. */
  p?: number;
}

const distortTakes = signature<RandomPhotometricDistortOptions>(
  {},
  { brightness: factorsKind, contrast: factorsKind, saturation: factorsKind, hue: huesKind, p: fraction },
);

/**
 * Images with their brightness, contrast, saturation, hue and the order of their channels changed, each with a probability. As
 * `torchvision.transforms.v2.RandomPhotometricDistort`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomPhotometricDistort({ p: 1 }).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomPhotometricDistort extends Transform {
  readonly brightness: Range;
  readonly contrast: Range;
  readonly saturation: Range;
  readonly hue: Range;
  readonly p: number;

  constructor(options: RandomPhotometricDistortOptions = {}) {
    distortTakes.check(new.target.name, arguments);
    super();
    this.brightness = options.brightness ?? [0.875, 1.125];
    this.contrast = options.contrast ?? [0.5, 1.5];
    this.saturation = options.saturation ?? [0.5, 1.5];
    this.hue = options.hue ?? [-0.05, 0.05];
    this.p = options.p ?? 0.5;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { channels } = colorShape(this.constructor.name, image);
    const drawn = properties.map((each) => (chance(this.p, context) ? uniform(...this[each], context) : null));
    const isContrastFirst = drawFraction(context) < 0.5;
    const permutation = chance(this.p, context) ? shuffled(channels, context) : null;
    const order = isContrastFirst ? [0, 1, 2, 3] : [0, 2, 3, 1];
    const changed = order.reduce((current, i) => {
      const factor = drawn[i]!;
      return factor === null ? current : change[properties[i]!](current, factor);
    }, image);
    return permutation === null ? changed : permuteChannels(changed, permutation);
  }
}
