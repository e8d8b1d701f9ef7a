import { fraction, optional } from '../kinds.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { Module } from '../nn/index.js';
import { scope, Tensor } from '../tensor/index.js';
import { generatorKind, tensorKind } from '../tensor/kinds.js';
import { chance, type TransformContext } from './draws.js';

const forwardTakes = signature<TransformContext>({ input: tensorKind }, { generator: generatorKind });

/**
 * The base of transforms: modules whose `forward` takes a tensor and, where something is drawn, the generator to draw from. What a
 * Dataset's `get` has as its context is such an object. As `torchvision.transforms.v2.Transform`.
 *
 * @example
 * import { type Tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * class Doubled extends transforms.Transform {
 *   protected override transform(image: Tensor): Tensor {
 *     return image.mul(2);
 *   }
 * }
 */
export abstract class Transform<Output = Tensor> extends Module {
  /** Transforms an image, [..., channels, height, width], or a sound, [..., time]; it is never changed. */
  override forward(input: Tensor, context: TransformContext = {}): Output {
    forwardTakes.check(`${this.constructor.name}.forward`, arguments);
    return scope(() => this.transform(input, context));
  }

  /** Does the work of `forward`; tensors made in it are released, but what it returns. */
  protected abstract transform(input: Tensor, context: TransformContext): Output;

  override extraRepr(): string {
    return Object.entries(this)
      .filter(([name, value]) => name !== 'training' && !(value instanceof Module) && !Tensor.isTensor(value))
      .map(([name, value]) => `${name}=${show(value)}`)
      .join(', ');
  }
}

const takes = signature({ p: optional(fraction) });

/** The base of transforms that are applied with a probability `p`. */
export abstract class RandomTransform extends Transform {
  readonly p: number;

  /** @param p How probable it is, 0 … 1. Default: 0.5. */
  constructor(p = 0.5) {
    takes.check(new.target.name, arguments);
    super();
    this.p = p;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    return chance(this.p, context) ? this.changed(image, context) : image;
  }

  /** The image where it is changed. */
  protected abstract changed(image: Tensor, context: TransformContext): Tensor;
}
