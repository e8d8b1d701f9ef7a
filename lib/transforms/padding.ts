import { fraction } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from '../tensor/index.js';
import { fractions, type TransformContext } from './draws.js';
import { pad, padded, padOptions, type PadOptions } from './functional/pad.js';
import { fillKind, imageShape, paddingKind, type Fill, type Padding, type PaddingMode } from './image.js';
import { oneOrMore, rangeOf } from './numbers.js';
import { RandomTransform, Transform } from './transform.js';

const takes = signature<PadOptions>({ padding: paddingKind }, padOptions);

/**
 * Images with a border: of all sides, of `[left and right, top and bottom]` or of `[left, top, right, bottom]`. As
 * `torchvision.transforms.v2.Pad`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.Pad(2, { paddingMode: 'reflect' }).forward(ones([3, 4, 4])).shape; // [3, 8, 8]
 */
export class Pad extends Transform {
  readonly padding: Padding;
  readonly fill: Fill;
  readonly paddingMode: PaddingMode;

  constructor(padding: Padding, options: PadOptions = {}) {
    takes.check(new.target.name, arguments);
    super();
    this.padding = padding;
    this.fill = options.fill ?? 0;
    this.paddingMode = options.paddingMode ?? 'constant';
  }

  protected override transform(image: Tensor): Tensor {
    return pad(image, this.padding, { fill: this.fill, paddingMode: this.paddingMode });
  }
}

export interface RandomZoomOutOptions {
  /** What lies around the image. Default: 0. */
  fill?: Fill;
  /** The least and the most that the sides become longer. Default: [1, 4]. */
  sideRange?: readonly [number, number];
  /** How probable it is, 0 … 1. Default: 0.5. */
  p?: number;
}

const zoomTakes = signature<RandomZoomOutOptions>({}, { fill: fillKind, sideRange: rangeOf(oneOrMore), p: fraction });

/**
 * Images at a random place of a larger one, with a probability. As `torchvision.transforms.v2.RandomZoomOut`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomZoomOut({ sideRange: [2, 2], p: 1 }).forward(ones([3, 4, 4])).shape; // [3, 8, 8]
 */
export class RandomZoomOut extends RandomTransform {
  readonly fill: Fill;
  readonly sideRange: readonly [number, number];

  constructor(options: RandomZoomOutOptions = {}) {
    zoomTakes.check(new.target.name, arguments);
    super(options.p);
    this.fill = options.fill ?? 0;
    this.sideRange = options.sideRange ?? [1, 4];
  }

  protected override changed(image: Tensor, context: TransformContext): Tensor {
    const { height, width } = imageShape(this.constructor.name, image);
    const [least, most] = this.sideRange;
    // In float32, as torchvision computes it.
    const ratio = fractions([1], context).mul(most - least).add(least); // prettier-ignore
    const whole = (value: Tensor): number => Math.trunc(Number(value.item()));
    const [newWidth, newHeight] = [whole(ratio.mul(width)), whole(ratio.mul(height))];
    const at = fractions([2], context);
    const left = whole(at.select(0, 0).mul(newWidth - width));
    const top = whole(at.select(0, 1).mul(newHeight - height));
    const sides = [left, top, newWidth - (left + width), newHeight - (top + height)] as const;
    return padded(this.constructor.name, image, sides, this.fill, 'constant');
  }
}
