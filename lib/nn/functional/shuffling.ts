import * as generated from '../../tensor/generated/functions.js';

// The functions of the tensor layer, with what they are in `nn.functional`.

/**
 * Lays `upscaleFactor²` channels out as the pixels of a square. As `torch.nn.functional.pixel_shuffle`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.pixelShuffle(arange(4).view([4, 1, 1]), 2).tolist(); // [[[0, 1], [2, 3]]]
 */
export const pixelShuffle = generated.pixelShuffle;

/**
 * Makes channels of the pixels of each square of `downscaleFactor²`. As `torch.nn.functional.pixel_unshuffle`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.pixelUnshuffle(arange(4).view([1, 2, 2]), 2).flatten().tolist(); // [0, 1, 2, 3]
 */
export const pixelUnshuffle = generated.pixelUnshuffle;

/**
 * Deals the channels of `groups` groups out in turn. As `torch.nn.functional.channel_shuffle`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.channelShuffle(arange(4).view([1, 4, 1]), 2).flatten().tolist(); // [0, 2, 1, 3]
 */
export const channelShuffle = generated.channelShuffle;

/**
 * `channelShuffle` by the kernel of the backend. As `torch.nn.functional.native_channel_shuffle`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * const image = arange(4).view([1, 4, 1, 1]).to('float32');
 * nn.functional.nativeChannelShuffle(image, 2).flatten().tolist(); // [0, 2, 1, 3]
 */
export const nativeChannelShuffle = generated.nativeChannelShuffle;
