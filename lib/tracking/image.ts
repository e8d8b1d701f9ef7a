import { AiforgeError } from '../errors.js';
import { kind } from '../kinds.js';
import { show } from '../show.js';
import { scope, Tensor } from '../tensor/index.js';

/** An image of 8 bits a channel: rows from the top, the channels of a pixel beside each other. */
export interface TrackedImage {
  width: number;
  height: number;
  /** 1: grey, 3: RGB, 4: RGB and opacity. */
  channels: 1 | 3 | 4;
  pixels: Uint8Array;
}

/** What can be recorded as an image, by shape and dtype. */
export const imageKind = kind<Tensor>(
  'a tensor of (C, H, W) or (H, W) with 1, 3 or 4 channels, of uint8 or of floats from 0 to 1',
  (value) => Tensor.isTensor(value) && hasShape(value) && (value.dtype === 'uint8' || value.isFloatingPoint()),
);

function hasShape({ ndim, shape }: Tensor): boolean {
  if (ndim === 3 && ![1, 3, 4].includes(shape[0]!)) return false;
  return (ndim === 2 || ndim === 3) && shape.every((length) => length > 0);
}

/** The image that a tensor of {@link imageKind} holds; it waits for the device. Throws PLUGIN_INVALID for numbers beside 0 to 1. */
export function imageOf(name: string, tensor: Tensor): TrackedImage {
  return scope(() => {
    const given = (tensor.ndim === 2 ? tensor.unsqueeze(0) : tensor).detach().permute([1, 2, 0]).to('cpu');
    const [height, width, channels] = given.shape as [number, number, 1 | 3 | 4];
    const bytes = given.dtype === 'uint8' ? given : bytesOf(name, given.to('float64'));
    return { width, height, channels, pixels: bytes.contiguous().toTypedArray() as Uint8Array };
  });
}

function bytesOf(name: string, given: Tensor): Tensor {
  const [least, most] = [given.min().item<number>(), given.max().item<number>()];
  if (!(least >= 0 && most <= 1)) {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `logImage was given '${name}' with numbers from ${show(least)} to ${show(most)}; expected floats from 0 to 1, or uint8. Scale them, or clamp them.`,
    );
  }
  return given.mul(255).round().to('uint8');
}
