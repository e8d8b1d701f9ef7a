import { either, listOf, number } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { scope, tensor, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { imageShape, refusal } from '../image.js';

export const statisticsKind = either<number, readonly number[]>(number, listOf(number));
const takes = signature({ image: tensorKind, mean: statisticsKind, std: statisticsKind });

/**
 * An image of floats, less the mean and divided by the standard deviation, of all channels or of each. As
 * `torchvision.transforms.v2.functional.normalize`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for whole numbers, for a standard deviation of 0, and for as many numbers as there are no
 * channels.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.normalize(ones([1, 1, 2]), [0.5], [0.5]).tolist(); // [[[1, 1]]]
 */
export function normalize(image: Tensor, mean: number | readonly number[], std: number | readonly number[]): Tensor {
  takes.check('normalize', arguments);
  return scope(() => normalizedBy(image, statisticsFor(image, mean, std)));
}

/** @internal A mean and a standard deviation as they go with images of a dtype, on a device. */
export interface Statistics {
  mean: Tensor;
  std: Tensor;
}

/** @internal Those of images such as this one. */
export function statisticsFor(
  image: Tensor,
  mean: number | readonly number[],
  std: number | readonly number[],
): Statistics {
  const { channels } = imageShape('normalize', image);
  if (!image.isFloatingPoint()) {
    throw refusal('normalize', `image must be of floats, got ${image.dtype}; convertImageDtype makes them`);
  }
  const perChannel = (name: string, values: number | readonly number[]): Tensor => {
    const list = typeof values === 'number' ? [values] : values;
    if (list.length !== 1 && list.length !== channels) {
      throw refusal('normalize', `${name} must be one number or ${channels}, one for each channel, got ${list.length}`);
    }
    return tensor([...list], { dtype: image.dtype, device: image.device }).view([-1, 1, 1]);
  };
  const statistics = { mean: perChannel('mean', mean), std: perChannel('std', std) };
  // As the dtype has it: a small one may be 0 there.
  if (statistics.std.tolist<number[][][]>().flat(2).includes(0)) {
    throw refusal('normalize', `std must have no 0, by which values cannot be divided, got ${show(std)}`);
  }
  return statistics;
}

/** @internal An image less its mean, and divided. */
export const normalizedBy = (image: Tensor, { mean, std }: Statistics): Tensor => image.sub(mean).div_(std);
