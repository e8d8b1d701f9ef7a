import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { warnOnce } from '../../warnOnce.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { listOf, whole } from '../../kinds.js';
import { show } from '../../show.js';
import { checkInput } from '../checks.js';

export interface GridSampleOptions {
  /** Default: `'bilinear'`. */
  mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What lies outside the input. Default: `'zeros'`. */
  paddingMode?: 'zeros' | 'border' | 'reflection';
  /** Whether -1 and 1 are the centres of the corner pixels, not their outer edges. Default: false. */
  alignCorners?: boolean | null;
}

function cornersOf(name: string, alignCorners: boolean | null): boolean {
  if (alignCorners === null) warnOnce(`${name}: alignCorners is false where it is not given, since PyTorch 1.3.`);
  return alignCorners ?? false;
}

const sampler = aten('grid_sampler');

function choice(name: string, value: unknown, choices: readonly string[]): number {
  const number = (choices as readonly unknown[]).indexOf(value);
  if (number >= 0) return number;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `gridSample: ${name} must be one of ${choices.join(', ')}, got ${show(value)}.`,
  );
}

/**
 * The values of `[N, C, H, W]` or `[N, C, D, H, W]` at the places that `grid`, `[N, …, 2]` or `[N, …, 3]`, names from -1 to 1,
 * the x first. As `torch.nn.functional.grid_sample`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const image = tensor([[[[0, 1], [2, 3]]]]).to('float32');
 * nn.functional.gridSample(image, tensor([[[[0, 0]]]]).to('float32')).tolist(); // [[[[1.5]]]]
 */
export function gridSample(
  input: Tensor,
  grid: Tensor,
  ...rest: Rest<GridSampleOptions, ['mode', 'paddingMode', 'alignCorners']>
): Tensor {
  const defaults = { mode: 'bilinear' as const, paddingMode: 'zeros' as const, alignCorners: null };
  const { mode, paddingMode, alignCorners } = named<GridSampleOptions>('gridSample', rest, defaults);
  const modeNumber = choice('mode', mode, ['bilinear', 'nearest', 'bicubic']);
  const padding = choice('paddingMode', paddingMode, ['zeros', 'border', 'reflection']);
  return sampler(input, grid, modeNumber, padding, cornersOf('gridSample', alignCorners));
}

const affine = aten('affine_grid_generator');

export interface AffineGridOptions {
  /** The shape of the images: `[N, C, H, W]` or `[N, C, D, H, W]`. */
  size: readonly number[];
  /** Whether -1 and 1 are the centres of the corner pixels, not their outer edges. Default: false. */
  alignCorners?: boolean | null;
}

/**
 * The grid for `gridSample` that affine matrices `theta`, `[N, 2, 3]` or `[N, 3, 4]`, make. As
 * `torch.nn.functional.affine_grid`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `theta` of another shape or of integers, and for sizes below 1.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const identity = tensor([[[1, 0, 0], [0, 1, 0]]]).to('float32');
 * nn.functional.affineGrid(identity, [1, 1, 1, 2]).tolist(); // [[[[-0.5, 0], [0.5, 0]]]]
 */
export function affineGrid(theta: Tensor, ...rest: Rest<AffineGridOptions, ['size', 'alignCorners']>): Tensor {
  const defaults = { size: undefined, alignCorners: null };
  const { size, alignCorners } = named<AffineGridOptions>('affineGrid', rest, defaults);
  checkInput('affineGrid', theta, 'theta');
  if (!listOf(whole).accepts(size))
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `affineGrid: size must be an array of whole numbers, got ${show(size)}.`,
    );
  const dims = size.length - 2;
  const shape = theta.shape;
  if ((dims !== 2 && dims !== 3) || shape.length !== 3 || shape[1] !== dims || shape[2] !== dims + 1) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `affineGrid: expected theta [batch, 2, 3] for a size of 4 numbers, [batch, 3, 4] for one of 5, got [${shape.join(', ')}] and [${size.join(', ')}].`,
    );
  }
  if (!theta.isFloatingPoint()) {
    throw new AiforgeError('INVALID_ARGUMENT', `affineGrid: expected a theta of floats, got ${theta.dtype}.`);
  }
  if (Math.min(...size) <= 0) {
    throw new AiforgeError('INVALID_ARGUMENT', `affineGrid: sizes must be 1 or more, got [${size.join(', ')}].`);
  }
  return affine(theta, size, cornersOf('affineGrid', alignCorners));
}
