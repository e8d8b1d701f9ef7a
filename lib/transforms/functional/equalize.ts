import { signature } from '../../signature.js';
import { cat, scope, where, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { colorShape } from '../image.js';
import { scaled } from './dtype.js';

const takes = signature({ image: tensorKind });

/**
 * An image of which each channel's values are spread so that all are about as frequent, in 256 steps. As
 * `torchvision.transforms.v2.functional.equalize`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { arange } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.equalize(arange(1024).div(4).to('uint8').view(1, 32, 32)).max().item(); // 255
 */
export function equalize(image: Tensor): Tensor {
  takes.check('equalize', arguments);
  colorShape('equalize', image);
  if (image.numel() === 0) return image;
  return scope(() => {
    const bytes = scaled('equalize', image, 'uint8');
    return scaled('equalize', equalized(bytes), image.dtype);
  });
}

function equalized(bytes: Tensor): Tensor {
  const leading = bytes.shape.slice(0, -2);
  const count = bytes.shape.at(-2)! * bytes.shape.at(-1)!;
  const at = bytes.reshape([...leading, count]).to('int64');
  const ones = at.newOnes([1], { dtype: 'int32' }).expand([...leading, count]);
  const histogram = at.newZeros([...leading, 256], { dtype: 'int32' }).scatterAdd_(-1, at, ones);
  const upTo = histogram.cumsum(-1);
  // The first value with all pixels up to it is the greatest that there is; its pixels count for none of the steps.
  const last = upTo.argmax(-1).unsqueeze(-1);
  const step = histogram.gather(-1, last).neg().add_(count).div(255, { roundingMode: 'floor' });
  const isSpread = step.ne(0).unsqueeze(-1);
  const raised = upTo.narrow(-1, 0, 255).add(step.floorDivide(2));
  const levels = raised.div(step.clamp(1), { roundingMode: 'floor' }).clamp_(0, 255).to('uint8');
  const table = cat([levels.newZeros([1]).expand([...leading, 1]), levels], -1);
  const made = table.gather(-1, at).reshape(bytes.shape);
  return where(isSpread, made, bytes);
}
