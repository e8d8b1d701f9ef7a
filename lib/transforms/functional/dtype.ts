import { boolean, optional } from '../../kinds.js';
import { signature } from '../../signature.js';
import { scope, type DType, type Tensor } from '../../tensor/index.js';
import { dtypeKind, tensorKind } from '../../tensor/kinds.js';
import { greatest, refusal } from '../image.js';

export interface ToDtypeOptions {
  /** Whether values are brought to the range of the dtype: 0 … 1 of floats, 0 … 255 of uint8. Default: false. */
  scale?: boolean;
}

export const toDtypeOptions = { scale: boolean };
const takes = signature<ToDtypeOptions>({ image: tensorKind, dtype: dtypeKind }, toDtypeOptions);
const convertTakes = signature({ image: tensorKind, dtype: optional(dtypeKind) });

/** How many bits a value of a whole-number dtype has, without the sign. */
const valueBits = (dtype: DType): number => Math.round(Math.log2(greatest(dtype) + 1));

/**
 * An image in another dtype, its values scaled where `scale` is set. As `torchvision.transforms.v2.functional.to_dtype`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for floats that the whole numbers of the dtype are too large for.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const image = tensor([[[0, 255]]], { dtype: 'uint8' });
 * transforms.functional.toDtype(image, 'float32', { scale: true }).tolist(); // [[[0, 1]]]
 */
export function toDtype(image: Tensor, dtype: DType, options: ToDtypeOptions = {}): Tensor {
  takes.check('toDtype', arguments);
  return options.scale === true ? scaled('toDtype', image, dtype) : image.to(dtype);
}

/**
 * An image in another dtype, its values scaled. As `torchvision.transforms.v2.functional.convert_image_dtype`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for floats that the whole numbers of the dtype are too large for.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.convertImageDtype(tensor([[[0, 0.5, 1]]]), 'uint8').tolist(); // [[[0, 127, 255]]]
 */
export function convertImageDtype(image: Tensor, dtype: DType = 'float32'): Tensor {
  convertTakes.check('convertImageDtype', arguments);
  return scaled('convertImageDtype', image, dtype);
}

/** @internal An image in another dtype, its values scaled. */
export function scaled(name: string, image: Tensor, dtype: DType): Tensor {
  const from = image.dtype;
  if (from === dtype) return image;
  const isFloat = (each: DType): boolean => /^b?float/.test(each);
  return scope(() => {
    if (isFloat(from)) {
      if (isFloat(dtype)) return image.to(dtype);
      if ((from === 'float32' && /^int(32|64)$/.test(dtype)) || (from === 'float64' && dtype === 'int64')) {
        throw refusal(name, `the values of ${dtype} are more than ${from} can tell apart; convert to float64 or int16 instead`); // prettier-ignore
      }
      // Not quite one more, so that 1 gives the greatest value and all values have as many floats.
      return image.mul(greatest(dtype) + 1 - 1e-3).to(dtype);
    }
    if ([from, dtype].includes('bool')) throw refusal(name, `booleans have no scale, got ${from} to ${dtype}`);
    if (isFloat(dtype)) return image.to(dtype).mul_(1 / greatest(from));
    const bits = valueBits(dtype) - valueBits(from);
    return bits < 0 ? image.bitwiseRightShift(-bits).to(dtype) : image.to(dtype).bitwiseLeftShift_(bits);
  });
}
