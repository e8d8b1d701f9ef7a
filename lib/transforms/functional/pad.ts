import { signature } from '../../signature.js';
import { pad as padTensor } from '../../nn/functional.js';
import { scope, tensor, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { asBatch, fillKind, imageShape, likeLeading, paddingKind, paddingModeKind, refusal, sidesOf, type Fill, type Padding, type PaddingMode } from '../image.js'; // prettier-ignore

export interface PadOptions {
  /** What a constant border is of: one value or one for each channel. Default: 0. */
  fill?: Fill;
  /** What the border shows. Default: 'constant'. */
  paddingMode?: PaddingMode;
}

export const padOptions = { fill: fillKind, paddingMode: paddingModeKind };
const takes = signature<PadOptions>({ image: tensorKind, padding: paddingKind }, padOptions);

/**
 * An image with a border: of all sides, of `[left and right, top and bottom]` or of `[left, top, right, bottom]`; where a
 * number is negative, that much is cut off. As `torchvision.transforms.v2.functional.pad`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for as many fills as there are no channels, and for a mirror that reaches beyond the image.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const row = tensor([[[1, 2, 3]]]);
 * transforms.functional.pad(row, [1, 0, 2, 0]).tolist(); // [[[0, 1, 2, 3, 0, 0]]]
 * transforms.functional.pad(row, [2, 0], { paddingMode: 'symmetric' }).tolist(); // [[[2, 1, 1, 2, 3, 3, 2]]]
 */
export function pad(image: Tensor, padding: Padding, options: PadOptions = {}): Tensor {
  takes.check('pad', arguments);
  const { fill = 0, paddingMode = 'constant' } = options;
  return padded('pad', image, sidesOf(padding), fill, paddingMode);
}

type Sides = readonly [left: number, top: number, right: number, bottom: number];

/** @internal An image with a border. */
export function padded(name: string, image: Tensor, sides: Sides, fill: Fill, mode: PaddingMode): Tensor {
  const { channels, height, width } = imageShape(name, image);
  const [left, top, right, bottom] = sides;
  if (width + left + right < 0 || height + top + bottom < 0) {
    throw refusal(
      name,
      `a padding of [${sides.join(', ')}] cuts off more than the ${height} x ${width} pixels that there are`,
    );
  }
  if (typeof fill !== 'number' && fill.length !== 1 && fill.length !== channels) {
    throw refusal(name, `fill must be one number or ${channels}, one for each channel, got ${fill.length}`);
  }
  return scope(() => {
    if (mode === 'constant') return filled(image, sides, fill);
    checkReach(name, { height, width }, sides, mode);
    if (mode === 'symmetric') return mirrored(image, sides);
    const operator = mode === 'edge' ? 'replicate' : 'reflect';
    const batch = asBatch(image);
    // These have no kernels for whole numbers.
    const floats = image.isFloatingPoint() ? batch : batch.to(/64$|int32/.test(image.dtype) ? 'float64' : 'float32');
    return likeLeading(padTensor(floats, [left, right, top, bottom], operator).to(image.dtype), image);
  });
}

function checkReach(name: string, size: { height: number; width: number }, sides: Sides, mode: PaddingMode): void {
  const [left, top, right, bottom] = sides;
  const least = mode === 'reflect' ? 1 : 0;
  for (const [all, before, after] of [
    [size.width, left, right],
    [size.height, top, bottom],
  ] as const) {
    // A mirror with the border's pixels shows what negative numbers leave.
    const length = mode === 'symmetric' ? all + Math.min(before, 0) + Math.min(after, 0) : all;
    if (length <= 0) throw refusal(name, `paddingMode '${mode}' needs an image with pixels`);
    if (mode === 'edge' || Math.max(before, after) <= length - least) continue;
    throw refusal(
      name,
      `paddingMode '${mode}' reaches ${length - least} pixels into the ${length} that there are, got a padding of [${sides.join(', ')}]`,
    );
  }
}

function filled(image: Tensor, [left, top, right, bottom]: Sides, fill: Fill): Tensor {
  const value = typeof fill === 'number' ? fill : fill.length === 1 ? fill[0]! : 0;
  const made = padTensor(image, [left, right, top, bottom], 'constant', value);
  if (typeof fill === 'number' || fill.length === 1) return made;
  const values = tensor([...fill], { dtype: 'float32', device: image.device })
    .to(image.dtype)
    .view([-1, 1, 1]);
  const [height, width] = made.shape.slice(-2) as [number, number];
  const set = (dim: number, start: number, length: number): void => {
    if (length > 0) made.narrow(dim, start, length).copy_(values);
  };
  set(-2, 0, Math.min(top, height));
  set(-1, 0, Math.min(left, width));
  set(-2, Math.max(height - bottom, 0), Math.min(bottom, height));
  set(-1, Math.max(width - right, 0), Math.min(right, width));
  return made;
}

// A mirror with the border's own pixels: … 1 0 | 0 1 2 | 2 1 …, of what negative numbers leave.
function mirrored(image: Tensor, [left, top, right, bottom]: Sides): Tensor {
  const places = (length: number, before: number, after: number): Tensor => {
    const [first, last] = [Math.max(-before, 0), length - Math.max(-after, 0)];
    const at: number[] = [];
    for (let i = first - Math.max(before, 0); i < last + Math.max(after, 0); ++i) {
      at.push(i < first ? 2 * first - 1 - i : i >= last ? 2 * last - 1 - i : i);
    }
    return tensor(at, { dtype: 'int64', device: image.device });
  };
  const [height, width] = image.shape.slice(-2) as [number, number];
  return image.indexSelect(-2, places(height, top, bottom)).indexSelect(-1, places(width, left, right));
}
