import { kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import { scope, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { colorShape } from '../image.js';

export interface GrayscaleOptions {
  /** 1, or 3 that are all the same. Default: 1. */
  numOutputChannels?: number;
}

export const channelsKind = kind<number>('1 or 3', (value) => value === 1 || value === 3);
const takes = signature<GrayscaleOptions>({ image: tensorKind }, { numOutputChannels: channelsKind });
const imageTakes = signature({ image: tensorKind });

/** @internal The luma of an image of colours, as floats: 0.2989 red + 0.587 green + 0.114 blue. */
export function luma(image: Tensor): Tensor {
  const [red, green, blue] = image.unbind(-3) as [Tensor, Tensor, Tensor];
  return red.mul(0.2989).add_(green, { alpha: 0.587 }).add_(blue, { alpha: 0.114 }).unsqueeze(-3);
}

/** @internal The luma of an image as floats, without fractions where its values have none. */
export function brightness(image: Tensor): Tensor {
  if (image.shape.at(-3) === 1) return image.isFloatingPoint() ? image : image.to('float32');
  const values = luma(image);
  return image.isFloatingPoint() ? values : values.floor_();
}

/**
 * An image in shades of grey. As `torchvision.transforms.v2.functional.rgb_to_grayscale`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const image = tensor([[[255]], [[0]], [[0]]], { dtype: 'uint8' });
 * transforms.functional.rgbToGrayscale(image).tolist(); // [[[76]]]
 */
export function rgbToGrayscale(image: Tensor, options: GrayscaleOptions = {}): Tensor {
  takes.check('rgbToGrayscale', arguments);
  const { channels } = colorShape('rgbToGrayscale', image);
  return scope(() => {
    const grey = channels === 1 ? image : luma(image).to(image.dtype);
    return options.numOutputChannels === 3 ? grey.expand([...grey.shape.slice(0, -3), 3, -1, -1]).contiguous() : grey;
  });
}

/**
 * A grey image with three channels; one that has them is given back. As
 * `torchvision.transforms.v2.functional.grayscale_to_rgb`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.grayscaleToRgb(ones([1, 4, 4])).shape; // [3, 4, 4]
 */
export function grayscaleToRgb(image: Tensor): Tensor {
  imageTakes.check('grayscaleToRgb', arguments);
  const { channels } = colorShape('grayscaleToRgb', image);
  return channels === 3 ? image : image.expand([...image.shape.slice(0, -3), 3, -1, -1]).contiguous();
}
