import { notNegative, number } from '../../kinds.js';
import { signature } from '../../signature.js';
import { conv2d } from '../../nn/functional.js';
import { scope, tensor, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { asBatch, colorShape, greatest, likeLeading } from '../image.js';
import { scaled } from './dtype.js';
import { brightness } from './grayscale.js';

const takes = signature({ image: tensorKind, factor: notNegative });

// A factor that is a whole number would leave whole numbers, which overflow.
const asFloats = (image: Tensor): Tensor => (image.isFloatingPoint() ? image : image.to('float32'));

/** `ratio` of an image and the rest of another, within the bounds of the image's values. */
function blend(image: Tensor, other: Tensor, ratio: number): Tensor {
  return asFloats(image)
    .mul(ratio)
    .add_(other, { alpha: 1 - ratio })
    .clamp_(0, greatest(image.dtype))
    .to(image.dtype);
}

/**
 * An image `factor` times as bright: 0 is black, 1 the same. As `torchvision.transforms.v2.functional.adjust_brightness`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { full } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.adjustBrightness(full([3, 1, 1], 100, { dtype: 'uint8' }), 2).flatten().tolist(); // [200, 200, 200]
 */
export function adjustBrightness(image: Tensor, factor: number): Tensor {
  takes.check('adjustBrightness', arguments);
  colorShape('adjustBrightness', image);
  return scope(() => asFloats(image).mul(factor).clamp_(0, greatest(image.dtype)).to(image.dtype));
}

/**
 * An image with `factor` times the contrast: 0 is all of the mean grey, 1 the same. As
 * `torchvision.transforms.v2.functional.adjust_contrast`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.adjustContrast(tensor([[[0.25, 0.75]]]), 0).tolist(); // [[[0.5, 0.5]]]
 */
export function adjustContrast(image: Tensor, factor: number): Tensor {
  takes.check('adjustContrast', arguments);
  colorShape('adjustContrast', image);
  if (image.numel() === 0) return image;
  return scope(() => blend(image, brightness(image).mean([-3, -2, -1], true), factor));
}

/**
 * An image with `factor` times the saturation: 0 is grey, 1 the same. A grey image is given back. As
 * `torchvision.transforms.v2.functional.adjust_saturation`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const red = tensor([[[255]], [[0]], [[0]]], { dtype: 'uint8' });
 * transforms.functional.adjustSaturation(red, 0).flatten().tolist(); // [76, 76, 76]
 */
export function adjustSaturation(image: Tensor, factor: number): Tensor {
  takes.check('adjustSaturation', arguments);
  if (colorShape('adjustSaturation', image).channels === 1) return image;
  return scope(() => blend(image, brightness(image), factor));
}

/**
 * An image with `factor` times the sharpness: 0 is smoothed, 1 the same; its border stays as it is. An image of fewer than 3
 * pixels a side is given back. As `torchvision.transforms.v2.functional.adjust_sharpness`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const image = tensor([[[0, 0, 0], [0, 13, 0], [0, 0, 0]]]).to('uint8');
 * transforms.functional.adjustSharpness(image, 0).at(0, 1).tolist(); // [0, 5, 0]
 */
export function adjustSharpness(image: Tensor, factor: number): Tensor {
  takes.check('adjustSharpness', arguments);
  const { channels, height, width } = colorShape('adjustSharpness', image);
  if (image.numel() === 0 || height <= 2 || width <= 2) return image;
  return scope(() => {
    const isFloat = image.isFloatingPoint();
    const dtype = image.dtype === 'float64' ? 'float64' : 'float32';
    const [edge, middle] = [1 / 13, 5 / 13];
    const weights = [edge, edge, edge, edge, middle, edge, edge, edge, edge];
    const kernel = tensor(weights, { dtype, device: image.device }).view([3, 3]).expand([channels, 1, 3, 3]);
    const made = asBatch(image).to({ dtype, copy: true });
    const smooth = conv2d(made, kernel, { groups: channels });
    if (!isFloat) smooth.round_();
    const inner = made.narrow(-2, 1, height - 2).narrow(-1, 1, width - 2);
    inner.add_(smooth.sub_(inner), { alpha: 1 - factor });
    return likeLeading(made.clamp_(0, greatest(image.dtype)).to(image.dtype), image);
  });
}

export interface AdjustGammaOptions {
  /** What the result is multiplied by. Default: 1. */
  gain?: number;
}

const gammaTakes = signature<AdjustGammaOptions>({ image: tensorKind, gamma: notNegative }, { gain: number });

/**
 * Values 0 … 1 to the power of `gamma`, times `gain`: above 1 makes shadows darker. As
 * `torchvision.transforms.v2.functional.adjust_gamma`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.adjustGamma(tensor([[[0.5, 1]]]), 2).tolist(); // [[[0.25, 1]]]
 */
export function adjustGamma(image: Tensor, gamma: number, options: AdjustGammaOptions = {}): Tensor {
  gammaTakes.check('adjustGamma', arguments);
  const { gain = 1 } = options;
  return scope(() => {
    const power = image.isFloatingPoint() ? image.pow(gamma) : scaled('adjustGamma', image, 'float32').pow_(gamma);
    if (gain !== 1) power.mul_(gain);
    return scaled('adjustGamma', power.clamp_(0, 1), image.dtype);
  });
}
