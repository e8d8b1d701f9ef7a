import { number } from '../../kinds.js';
import { signature } from '../../signature.js';
import { iinfo, scope, where, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { wholeBetween } from '../numbers.js';
import { colorShape, greatest, imageShape, refusal } from '../image.js';

const imageTakes = signature({ image: tensorKind });

function inverted(image: Tensor): Tensor {
  if (image.isFloatingPoint()) return image.neg().add_(1);
  if (image.dtype === 'uint8') return image.bitwiseNot();
  return image.dtype === 'bool' ? image.logicalNot() : image.bitwiseXor(iinfo(image.dtype).max);
}

/**
 * The negative of an image. As `torchvision.transforms.v2.functional.invert`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.invert(tensor([[[0, 200]]], { dtype: 'uint8' })).tolist(); // [[[255, 55]]]
 */
export function invert(image: Tensor): Tensor {
  imageTakes.check('invert', arguments);
  imageShape('invert', image);
  return scope(() => inverted(image));
}

export const bitsKind = wholeBetween(0, 8);
const posterizeTakes = signature({ image: tensorKind, bits: bitsKind });

/**
 * An image of which each value keeps its highest `bits` bits alone. As `torchvision.transforms.v2.functional.posterize`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.posterize(tensor([[[31, 200]]], { dtype: 'uint8' }), 3).tolist(); // [[[0, 192]]]
 */
export function posterize(image: Tensor, bits: number): Tensor {
  posterizeTakes.check('posterize', arguments);
  imageShape('posterize', image);
  return scope(() => {
    if (image.isFloatingPoint()) {
      const levels = 2 ** bits;
      return image.mul(levels).floor_().clamp_(0, levels - 1).mul_(1 / levels); // prettier-ignore
    }
    const all = Math.round(Math.log2(greatest(image.dtype) + 1));
    if (bits >= all) return image;
    return image.bitwiseAnd((2n ** BigInt(bits) - 1n) * 2n ** BigInt(all - bits));
  });
}

const solarizeTakes = signature({ image: tensorKind, threshold: number });

/**
 * An image of which the values from `threshold` on are inverted. As `torchvision.transforms.v2.functional.solarize`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a threshold beyond the image's values.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.solarize(tensor([[[10, 200]]], { dtype: 'uint8' }), 128).tolist(); // [[[10, 55]]]
 */
export function solarize(image: Tensor, threshold: number): Tensor {
  solarizeTakes.check('solarize', arguments);
  imageShape('solarize', image);
  const most = greatest(image.dtype);
  if (threshold > most) {
    throw refusal(
      'solarize',
      `threshold must be at most ${most}, the greatest value of ${image.dtype}, got ${threshold}`,
    );
  }
  return scope(() => where(image.ge(threshold), inverted(image), image));
}

/**
 * An image of which each channel's values are stretched to the whole range. As
 * `torchvision.transforms.v2.functional.autocontrast`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.autocontrast(tensor([[[0.25, 0.5]]])).tolist(); // [[[0, 1]]]
 */
export function autocontrast(image: Tensor): Tensor {
  imageTakes.check('autocontrast', arguments);
  colorShape('autocontrast', image);
  if (image.numel() === 0) return image;
  return scope(() => {
    const most = greatest(image.dtype);
    const values = image.isFloatingPoint() ? image : image.to('float32');
    const low = values.amin([-2, -1], true);
    const high = values.amax([-2, -1], true);
    // A channel of one value stays as it is.
    const isFlat = high.eq(low);
    const range = high.sub_(low).mul_(1 / most).maskedFill_(isFlat, 1); // prettier-ignore
    return values.sub(low.maskedFill_(isFlat, 0)).div_(range).clamp_(0, most).to(image.dtype);
  });
}
