import { oneOf } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/index.js';
import { fraction, wholeFrom, type TransformContext } from '../draws.js';
import { Augment, augmentOptions, bits, ofHeight, ofWidth, strengths, type AugmentOptions, type Space } from './operations.js'; // prettier-ignore
import { policies, type PolicyStep } from './policies.js';

export type AutoAugmentPolicy = 'imagenet' | 'cifar10' | 'svhn';

export interface AutoAugmentOptions extends AugmentOptions {
  /** The data set that the policy was found for. Default: 'imagenet'. */
  policy?: AutoAugmentPolicy;
}

const takes = signature<AutoAugmentOptions>({}, { policy: oneOf('imagenet', 'cifar10', 'svhn'), ...augmentOptions });

const { warps, colors, levels, whole } = strengths({
  shear: 0.3,
  translateX: ofWidth(150 / 331),
  translateY: ofHeight(150 / 331),
  rotate: 30,
  color: 0.9,
  bits: bits(8, 4),
});
/** The operations of AutoAugment; RandAugment has those, and one that does nothing. */
export const autoAugmentSpace: Space = [...warps, ...colors, ...levels, ...whole];
const space = new Map([...autoAugmentSpace, ['Invert', null, false] as const].map((each) => [each[0], each]));

/**
 * One of 25 pairs of operations, with probabilities and strengths that were found for a data set. As
 * `torchvision.transforms.v2.AutoAugment`; "AutoAugment: Learning Augmentation Policies from Data" (Cubuk et al., 2019).
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.AutoAugment({ policy: 'cifar10' }).forward(ones([3, 32, 32]).to('uint8')).shape; // [3, 32, 32]
 */
export class AutoAugment extends Augment {
  readonly policy: AutoAugmentPolicy;

  constructor(options: AutoAugmentOptions = {}) {
    takes.check(new.target.name, arguments);
    super(options);
    this.policy = options.policy ?? 'imagenet';
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const size = this.sizeOf(image);
    const pairs: readonly (readonly [PolicyStep, PolicyStep])[] = policies[this.policy];
    let current = image;
    for (const [name, p, strength] of pairs[wholeFrom(0, pairs.length, context)]!) {
      if (fraction(context) > Math.fround(p)) continue;
      const [operation, of, isSigned] = space.get(name)!;
      let value = of === null ? 0 : Number(of(10, size).at(strength).item());
      if (isSigned && fraction(context) <= 0.5) value = -value;
      current = this.operate(current, operation, value);
    }
    return current;
  }
}
