import { count, kind, size } from '../../kinds.js';
import { signature } from '../../signature.js';
import { scope, tensor, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { imageShape, refusal } from '../image.js';

const takes = signature({ image: tensorKind, top: size, left: size, height: count, width: count, value: tensorKind });

/**
 * An image of which a rectangle shows `value`, a tensor that is broadcast to [channels, height, width]. As
 * `torchvision.transforms.v2.functional.erase`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a rectangle that is not inside the image.
 * @example
 * import { ones, tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.erase(ones([1, 1, 3]), 0, 1, 1, 2, tensor(0)).tolist(); // [[[1, 0, 0]]]
 */
export function erase(image: Tensor, top: number, left: number, height: number, width: number, value: Tensor): Tensor {
  takes.check('erase', arguments);
  const shape = imageShape('erase', image);
  if (top + height > shape.height || left + width > shape.width) {
    throw refusal('erase', `a rectangle of [${height}, ${width}] at [${top}, ${left}] is not inside the ${shape.height} x ${shape.width} image`); // prettier-ignore
  }
  return scope(() => {
    const made = image.clone();
    made.narrow(-2, top, height).narrow(-1, left, width).copy_(value);
    return made;
  });
}

const permuteTakes = signature({
  image: tensorKind,
  permutation: kind<readonly number[]>('an array of 0, 1, … in some order', (value) => Array.isArray(value) && [...(value as number[])].sort((a, b) => a - b).every((each, i) => each === i)), // prettier-ignore
});

/**
 * An image with its channels in another order. As `torchvision.transforms.v2.functional.permute_channels`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for as many numbers as there are no channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.permuteChannels(tensor([[[1]], [[2]]]), [1, 0]).flatten().tolist(); // [2, 1]
 */
export function permuteChannels(image: Tensor, permutation: readonly number[]): Tensor {
  permuteTakes.check('permuteChannels', arguments);
  const { channels } = imageShape('permuteChannels', image);
  if (permutation.length !== channels) {
    throw refusal('permuteChannels', `permutation must have ${channels} numbers, one for each channel, got ${permutation.length}`); // prettier-ignore
  }
  return scope(() => image.indexSelect(-3, tensor([...permutation], { dtype: 'int64', device: image.device })));
}
