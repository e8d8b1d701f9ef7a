import { boolean, count, orNull } from '../../kinds.js';
import { signature } from '../../signature.js';
import { interpolate } from '../../nn/functional.js';
import { scope, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { asBatch, cropSizeKind, imageShape, interpolationKind, likeLeading, refusal, type CropSize, type Interpolation } from '../image.js'; // prettier-ignore

export interface ResizeOptions {
  /** How values between pixels are found. Default: 'bilinear'. */
  interpolation?: Interpolation;
  /** The most that the longer side may have, where the size is one number or null. Default: no limit. */
  maxSize?: number | null;
  /** Whether shrinking weighs all pixels, for 'bilinear' and 'bicubic'. Default: true. */
  antialias?: boolean;
}

export const resizeOptions = { interpolation: interpolationKind, maxSize: orNull(count), antialias: boolean };
export const resizeSizeKind = orNull(cropSizeKind);
const takes = signature<ResizeOptions>({ image: tensorKind, size: resizeSizeKind }, resizeOptions);

/** @internal Throws for a size and a `maxSize` that contradict each other. */
export function checkMaxSize(name: string, size: CropSize | null, maxSize: number | null): void {
  if (size === null) {
    if (maxSize === null) throw refusal(name, 'size null needs maxSize, the size of the longer side');
    return;
  }
  if (maxSize === null) return;
  if (typeof size !== 'number' && size.length !== 1) {
    throw refusal(name, 'maxSize is for a size of one number, that of the shorter side');
  }
  const shorter = typeof size === 'number' ? size : size[0];
  if (maxSize <= shorter) throw refusal(name, `maxSize must be more than the shorter side, ${shorter}, got ${maxSize}`);
}

function targetOf(height: number, width: number, size: CropSize | null, maxSize: number | null): [number, number] {
  if (size !== null && typeof size !== 'number' && size.length === 2) return [size[0], size[1]];
  const [short, long] = width <= height ? [width, height] : [height, width];
  let shorter: number;
  let longer: number;
  if (size === null) {
    [shorter, longer] = [Math.trunc((maxSize! * short) / long), maxSize!];
  } else {
    shorter = typeof size === 'number' ? size : size[0];
    longer = Math.trunc((shorter * long) / short);
    if (maxSize !== null && longer > maxSize) {
      [shorter, longer] = [Math.trunc((maxSize * shorter) / longer), maxSize];
    }
  }
  return width <= height ? [longer, shorter] : [shorter, longer];
}

/**
 * An image at another size: `[height, width]`; one number is the shorter side's, and null has the longer side be `maxSize`. As
 * `torchvision.transforms.v2.functional.resize`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `maxSize` that the size leaves no room for.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.resize(ones([3, 20, 30]), 10).shape; // [3, 10, 15]
 */
export function resize(image: Tensor, size: CropSize | null, options: ResizeOptions = {}): Tensor {
  takes.check('resize', arguments);
  const { interpolation = 'bilinear', maxSize = null, antialias = true } = options;
  checkMaxSize('resize', size, maxSize);
  const { height, width } = imageShape('resize', image);
  const target = targetOf(height, width, size, maxSize);
  if (target[0] < 1 || target[1] < 1)
    throw refusal('resize', `[${height}, ${width}] would become [${target.join(', ')}]`);
  return resized(image, target, interpolation, antialias);
}

/** @internal An image of exactly a size. */
export function resized(
  image: Tensor,
  size: readonly [number, number],
  interpolation: Interpolation,
  antialias: boolean,
): Tensor {
  const { height, width } = imageShape('resize', image);
  if (height === size[0] && width === size[1]) return image;
  if (height === 0 || width === 0) {
    throw refusal('resize', `image must have pixels, got the shape [${image.shape.join(', ')}]`);
  }
  if (image.numel() === 0) return image.newEmpty([...image.shape.slice(0, -2), ...size]);
  const isSmooth = interpolation === 'bilinear' || interpolation === 'bicubic';
  return scope(() => {
    const batch = asBatch(image);
    const { dtype } = batch;
    // Kernels of bytes that weigh pixels are the CPU's; LibTorch's fail where one pixel is made.
    const hasBytes = !isSmooth || (image.device === 'cpu' && size[0] * size[1] > 1);
    const isDirect = dtype === 'float32' || dtype === 'float64' || (dtype === 'uint8' && hasBytes);
    const made = interpolate(isDirect ? batch : batch.to('float32'), {
      size,
      mode: interpolation,
      ...(isSmooth && { alignCorners: false, antialias }),
    });
    if (isDirect) return likeLeading(made, image);
    if (image.isFloatingPoint()) return likeLeading(made.to(dtype), image);
    const bounded = interpolation === 'bicubic' && dtype === 'uint8' ? made.clamp_(0, 255) : made;
    return likeLeading(bounded.round_().to(dtype), image);
  });
}
