import type { Tensor } from '../../tensor/tensor.js';
import { warnOnce } from '../warnOnce.js';
import { named, type Rest } from './arguments.js';
import { interpolate, type InterpolateOptions } from './vision.js';

type UpsampleOptions = Pick<InterpolateOptions, 'size' | 'scaleFactor' | 'mode' | 'alignCorners'>;

/**
 * `interpolate` under an old name, deprecated, as it says in the log. As `torch.nn.functional.upsample`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.upsample(tensor([[[1, 2.5]]]), { scaleFactor: 2 }).tolist(); // [[[1, 1, 2.5, 2.5]]]
 */
export function upsample(
  input: Tensor,
  ...rest: Rest<UpsampleOptions, ['size', 'scaleFactor', 'mode', 'alignCorners']>
): Tensor {
  const defaults = { size: null, scaleFactor: null, mode: 'nearest' as const, alignCorners: null };
  warnOnce('upsample is deprecated; use interpolate, which does the same.');
  return interpolate(input, named<UpsampleOptions>('upsample', rest, defaults));
}
