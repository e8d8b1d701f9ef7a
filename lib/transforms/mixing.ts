import { count, positive } from '../kinds.js';
import { Module, functional } from '../nn/index.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { scope, tensor, type Tensor } from '../tensor/index.js';
import { generatorKind, tensorKind } from '../tensor/kinds.js';
import { dirichlet, wholeFrom, type TransformContext } from './draws.js';
import { imageShape, refusal } from './image.js';

export interface MixOptions {
  /** The concentration of the Beta distribution that the share is drawn from. Default: 1, so that all are as probable. */
  alpha?: number;
  /** How many classes there are; needed where labels are class numbers. */
  numClasses?: number;
}

const takes = signature<MixOptions>({}, { alpha: positive, numClasses: count });
const forwardTakes = signature<TransformContext>(
  { images: tensorKind, labels: tensorKind },
  { generator: generatorKind },
);

/** What a mix has of a batch: its images, and labels as shares of the classes. */
export type Mixed = [images: Tensor, labels: Tensor];

/** The base of transforms that mix each image of a batch with the one before it. */
abstract class Mix extends Module {
  readonly alpha: number;
  readonly numClasses: number | undefined;

  constructor(options: MixOptions = {}) {
    takes.check(new.target.name, arguments);
    super();
    this.alpha = options.alpha ?? 1;
    this.numClasses = options.numClasses;
  }

  /**
   * Mixes [images, channels, height, width] with labels [images], class numbers, or [images, classes], shares.
   *
   * @throws AiforgeError INVALID_ARGUMENT for labels that do not fit, and for images of whole numbers where they are added up.
   */
  override forward(images: Tensor, labels: Tensor, context: TransformContext = {}): Mixed {
    const name = this.constructor.name;
    forwardTakes.check(`${name}.forward`, arguments);
    imageShape(name, images);
    if (images.ndim !== 4) throw refusal(name, `images must be [images, channels, height, width], got [${images.shape.join(', ')}]`); // prettier-ignore
    return scope(() => {
      const shares = sharesOf(name, images, labels, this.numClasses);
      const drawn = dirichlet(tensor([[this.alpha, this.alpha]], { dtype: 'float32' }), context);
      const [mixed, share] = this.mix(images, Number(drawn.at(0, 0).item()), context);
      return [mixed, weighted(shares, share)];
    });
  }

  /** The mixed images, and what share of each is its own. */
  protected abstract mix(images: Tensor, share: number, context: TransformContext): [images: Tensor, share: number];
}

/** Labels as the share of each class. */
function sharesOf(name: string, images: Tensor, labels: Tensor, numClasses: number | undefined): Tensor {
  if (labels.shape[0] !== images.shape[0] || labels.ndim > 2) {
    throw refusal(
      name,
      `labels must be [${images.shape[0]}] or [${images.shape[0]}, classes], got [${labels.shape.join(', ')}]`,
    );
  }
  if (labels.ndim === 2) {
    if (!labels.isFloatingPoint()) throw refusal(name, `labels of all classes must be floats, got ${labels.dtype}`);
    return labels;
  }
  if (numClasses === undefined) throw refusal(name, 'labels that are class numbers need the option numClasses');
  if (labels.isFloatingPoint()) throw refusal(name, `labels that are class numbers must be whole, got ${labels.dtype}`);
  const outside = labels.lt(0).bitwiseOr(labels.ge(numClasses)).any().tolist<boolean>();
  if (outside) throw refusal(name, `labels must be from 0 to ${numClasses - 1}, got ${show(labels)}`);
  return functional.oneHot(labels.to('int64'), numClasses).to('float32');
}

/** A share of each row and the rest of the one before it. */
const weighted = (rows: Tensor, share: number): Tensor =>
  rows
    .roll(1, 0)
    .mul_(1 - share)
    .add_(rows.mul(share));

/**
 * Batches whose images and labels are mixed with those before them, in one random share. As `torchvision.transforms.v2.MixUp`.
 *
 * @example
 * import { rand, tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const mixUp = new transforms.MixUp({ alpha: 0.2, numClasses: 3 });
 * const [images, labels] = mixUp.forward(rand([2, 3, 4, 4]), tensor([0, 2]));
 * labels.shape; // [2, 3]
 */
export class MixUp extends Mix {
  protected override mix(images: Tensor, share: number): [Tensor, number] {
    if (!images.isFloatingPoint()) {
      throw refusal(
        this.constructor.name,
        `images must be of floats, got ${images.dtype}; ToDtype with scale makes them`,
      );
    }
    return [weighted(images, share), share];
  }
}

/**
 * Batches whose images show a part of those before them at a random place; labels are mixed by area. As
 * `torchvision.transforms.v2.CutMix`.
 *
 * @example
 * import { rand, tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const [images, labels] = new transforms.CutMix({ numClasses: 3 }).forward(rand([2, 3, 4, 4]), tensor([0, 2]));
 * Math.round(labels.sum().item()); // 2
 */
export class CutMix extends Mix {
  protected override mix(images: Tensor, share: number, context: TransformContext): [Tensor, number] {
    const { height, width } = imageShape(this.constructor.name, images);
    const x = wholeFrom(0, width, context);
    const y = wholeFrom(0, height, context);
    const half = 0.5 * Math.sqrt(1 - share);
    const [halfWidth, halfHeight] = [Math.trunc(half * width), Math.trunc(half * height)];
    const [left, right] = [Math.max(x - halfWidth, 0), Math.min(x + halfWidth, width)];
    const [top, bottom] = [Math.max(y - halfHeight, 0), Math.min(y + halfHeight, height)];
    const part = (of: Tensor): Tensor => of.narrow(-2, top, bottom - top).narrow(-1, left, right - left);
    const mixed = images.clone();
    part(mixed).copy_(part(images.roll(1, 0)));
    return [mixed, 1 - ((right - left) * (bottom - top)) / (width * height)];
  }
}
