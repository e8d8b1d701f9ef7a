import { either, fraction, listOf, oneOf, positive } from '../kinds.js';
import { signature } from '../signature.js';
import { tensor, type Tensor } from '../tensor/index.js';
import { aspectOf } from './cropping.js';
import { normals, uniform, wholeFrom, type TransformContext } from './draws.js';
import { erase } from './functional/erase.js';
import { imageShape, refusal, roundToEven } from './image.js';
import { finite, rangeOf, type Range } from './numbers.js';
import { RandomTransform } from './transform.js';

/** What an erased part shows: one number, one for each channel, or noise. */
export type ErasedValue = number | readonly number[] | 'random';

export interface RandomErasingOptions {
  /** How probable it is, 0 … 1. Default: 0.5. */
  p?: number;
  /** The least and the most of the image's area. Default: [0.02, 0.33]. */
  scale?: Range;
  /** The least and the greatest height for the width. Default: [0.3, 3.3]. */
  ratio?: Range;
  /** What the part shows; 'random' draws from a standard normal distribution. Default: 0. */
  value?: ErasedValue;
}

const valueKind = either<number, readonly number[] | 'random'>(
  finite,
  either<readonly number[], 'random'>(listOf(finite), oneOf('random')),
);
const takes = signature<RandomErasingOptions>(
  {},
  { p: fraction, scale: rangeOf(fraction), ratio: rangeOf(positive), value: valueKind },
);

/**
 * Images of which a part at a random place, of a random area and aspect, is erased, with a probability; where ten tries find none
 * that fits, an image stays as it is. As `torchvision.transforms.v2.RandomErasing`.
 *
 * @throws AiforgeError INVALID_ARGUMENT from `forward` for as many values as there are no channels.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomErasing({ p: 1 }).forward(ones([3, 16, 16])).sum().item() < 768; // true
 */
export class RandomErasing extends RandomTransform {
  readonly scale: Range;
  readonly ratio: Range;
  readonly value: ErasedValue;

  constructor(options: RandomErasingOptions = {}) {
    takes.check(new.target.name, arguments);
    super(options.p);
    this.scale = options.scale ?? [0.02, 0.33];
    this.ratio = options.ratio ?? [0.3, 3.3];
    this.value = options.value ?? 0;
  }

  protected override changed(image: Tensor, context: TransformContext): Tensor {
    const { channels, height, width } = imageShape(this.constructor.name, image);
    const { value } = this;
    if (Array.isArray(value) && value.length !== 1 && value.length !== channels) {
      throw refusal(this.constructor.name, `value must be one number or ${channels}, one for each channel, got ${value.length}`); // prettier-ignore
    }
    for (let i = 0; i < 10; ++i) {
      const area = height * width * uniform(...this.scale, context);
      const aspect = aspectOf(this.ratio, context);
      const [h, w] = [roundToEven(Math.sqrt(area * aspect)), roundToEven(Math.sqrt(area / aspect))];
      if (h >= height || w >= width) continue;
      const shown = shownBy(this.value, image, [channels, h, w], context);
      const top = wholeFrom(0, height - h + 1, context);
      const left = wholeFrom(0, width - w + 1, context);
      return h > 0 && w > 0 ? erase(image, top, left, h, w, shown) : image;
    }
    return image;
  }
}

function shownBy(value: ErasedValue, image: Tensor, shape: readonly number[], context: TransformContext): Tensor {
  if (value === 'random') return normals(shape, 'float32', image.device, context);
  const values = typeof value === 'number' ? [value] : [...value];
  return tensor(values, { dtype: 'float32', device: image.device }).view([-1, 1, 1]);
}
