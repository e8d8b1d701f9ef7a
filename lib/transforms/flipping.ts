import type { Tensor } from '../tensor/index.js';
import { horizontalFlip, verticalFlip } from './functional/crop.js';
import { RandomTransform } from './transform.js';

/**
 * Images mirrored from left to right with a probability. As `torchvision.transforms.v2.RandomHorizontalFlip`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomHorizontalFlip(1).forward(tensor([[[1, 2]]])).tolist(); // [[[2, 1]]]
 */
export class RandomHorizontalFlip extends RandomTransform {
  protected override changed(image: Tensor): Tensor {
    return horizontalFlip(image);
  }
}

/**
 * Images mirrored from top to bottom with a probability. As `torchvision.transforms.v2.RandomVerticalFlip`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomVerticalFlip(1).forward(tensor([[[1], [2]]])).tolist(); // [[[2], [1]]]
 */
export class RandomVerticalFlip extends RandomTransform {
  protected override changed(image: Tensor): Tensor {
    return verticalFlip(image);
  }
}
