import { signature } from '../../signature.js';
import { onesLike, scope, stack, tensor, where, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { colorShape } from '../image.js';
import { between } from '../numbers.js';
import { scaled } from './dtype.js';

const takes = signature({
  image: tensorKind,
  factor: between(-0.5, 0.5),
});

/**
 * An image whose hues are turned by a part of the colour circle, -0.5 … 0.5; 0.5 gives the opposite colours. A grey image is given
 * back. As `torchvision.transforms.v2.functional.adjust_hue`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than 1 or 3 channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const red = tensor([[[255]], [[0]], [[0]]], { dtype: 'uint8' });
 * transforms.functional.adjustHue(red, 0.5).flatten().tolist(); // [0, 255, 255]
 */
export function adjustHue(image: Tensor, factor: number): Tensor {
  takes.check('adjustHue', arguments);
  if (colorShape('adjustHue', image).channels === 1 || image.numel() === 0) return image;
  return scope(() => {
    const [hue, saturation, value] = toHsv(scaled('adjustHue', image, 'float32'));
    return scaled('adjustHue', fromHsv(hue.add_(factor).remainder_(1), saturation, value), image.dtype);
  });
}

// The colour models of a hexagonal cone, with the hue from 0 to 1 instead of 360 degrees.
function toHsv(image: Tensor): [hue: Tensor, saturation: Tensor, value: Tensor] {
  const [red, green] = image.unbind(-3) as [Tensor, Tensor, Tensor];
  const [least, most] = image.aminmax({ dim: -3 });
  const isGrey = most.eq(least);
  const range = most.sub(least);
  // Of grey, whatever is divided is 0.
  const one = onesLike(most);
  const saturation = range.div(where(isGrey, one, most));
  const distances = most
    .unsqueeze(-3)
    .sub(image)
    .div(where(isGrey, one, range).unsqueeze(-3));
  const [fromRed, fromGreen, fromBlue] = distances.unbind(-3) as [Tensor, Tensor, Tensor];
  const isNotRed = most.ne(red);
  const isGreen = most.eq(green);
  const ofGreen = fromRed.add(2).sub_(fromBlue).mul_(isGreen.bitwiseAnd(isNotRed));
  const ofRed = fromBlue.sub(fromGreen).mul_(isNotRed.bitwiseNot());
  const ofBlue = fromGreen.add(4).sub_(fromRed).mul_(isNotRed.logicalAnd(isGreen.logicalNot()));
  const hue = ofRed
    .add_(ofGreen)
    .add_(ofBlue)
    .mul_(1 / 6)
    .add_(1)
    .fmod_(1);
  return [hue, saturation, most];
}

// Which of value, p, q and t are red, green and blue in each sixth of the circle.
const SIXTHS = [
  [0, 2, 1, 1, 3, 0],
  [3, 0, 0, 2, 1, 1],
  [1, 1, 3, 0, 0, 2],
];

function fromHsv(hue: Tensor, saturation: Tensor, value: Tensor): Tensor {
  const sixths = hue.mul(6);
  const whole = sixths.floor();
  const rest = sixths.sub_(whole);
  const part = saturation.mul(rest);
  const pale = saturation.neg().add_(1);
  const bounded = (share: Tensor): Tensor => share.mul_(value).clamp_(0, 1);
  const q = bounded(part.neg().add_(1));
  const t = bounded(part.add_(pale));
  const p = bounded(pale);
  const index = tensor(SIXTHS, { device: hue.device }).index([null, whole.to('int32').remainder_(6)]);
  // [3, ..., height, width] with the channels where images have them.
  return stack([value, p, q, t], -3).gather(-3, index.movedim(0, -3));
}
