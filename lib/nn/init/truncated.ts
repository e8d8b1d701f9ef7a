import { noGrad } from '../../autograd/modes.js';
import { emptyLike, full, where } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { fromTypedArray } from '../../tensor/conversion/typedArrays.js';
import type { Rest } from '../functional/arguments.js';
import { initArguments } from './arguments.js';
import { normalOptions, type NormalOptions } from './distributions.js';
import { warnOnce } from '../../warnOnce.js';
import { number } from '../../kinds.js';
import { signature } from '../../signature.js';

export interface TruncNormalOptions extends NormalOptions {
  /** The least value. Default: -2. */
  a?: number;
  /** The greatest value. Default: 2. */
  b?: number;
}

const normalCdf = (x: number): number =>
  (1 +
    scope(() =>
      fromTypedArray(Float64Array.of(x / Math.SQRT2))
        .erf()
        .item(),
    )) /
  2;

type Bounds = Required<TruncNormalOptions>;

// Draws again what falls outside: cheap where most of the distribution lies inside.
function redraw(tensor: Tensor, { mean, std, a, b, generator }: Bounds): void {
  const rounded = (bound: number): number => full([], bound, { dtype: tensor.dtype }).item();
  const [low, high] = [rounded(a), rounded(b)];
  let result: Tensor = tensor.normal_(mean, std, { generator });
  for (;;) {
    const outside = result.lt(low).bitwiseOr(result.gt(high));
    if (outside.any().item<boolean>() === false) break;
    result = where(outside, emptyLike(result).normal_(mean, std, { generator }), result);
  }
  if (result !== tensor) tensor.copy_(result);
}

// Draws uniformly and accepts each value with the probability that the density has there.
function rejectionSample(tensor: Tensor, { mean, std, a, b, generator }: Bounds): void {
  const mode = Math.max(a, Math.min(mean, b));
  const deviation = (mode - mean) / std;
  const peak = -0.5 * (deviation * deviation);
  const [candidates, chances] = [emptyLike(tensor), emptyLike(tensor)];
  const refused = (): Tensor => {
    candidates.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak);
    return chances.uniform_(0, 1, { generator }).log_().gt(candidates);
  };
  let result: Tensor = tensor.uniform_(a, b, { generator });
  candidates.copy_(tensor);
  let pending = refused();
  while (pending.any().item<boolean>() === true) {
    candidates.uniform_(a, b, { generator });
    result = where(pending, candidates, result);
    pending = where(pending, refused(), pending);
  }
  if (result !== tensor) tensor.copy_(result);
}

type Order = ['mean', 'std', 'a', 'b', 'generator'];

const truncNormalTakes = signature<TruncNormalOptions>({}, { ...normalOptions, a: number, b: number });

/**
 * Draws from the normal distribution within [a, b]: right where the mean lies there or near. As
 * `torch.nn.init.trunc_normal_`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.truncNormal_(zeros([9]), { std: 0.02, a: -0.04, b: 0.04 }).abs().max().item() <= 0.04; // true
 */
export function truncNormal_<T extends Tensor>(tensor: T, ...rest: Rest<TruncNormalOptions, Order>): T {
  const defaults = { mean: 0, std: 1, a: -2, b: 2, generator: null };
  const given = initArguments<TruncNormalOptions>('truncNormal_', tensor, rest, defaults, truncNormalTakes);
  const { mean, std, a, b } = given;
  if (tensor.isMeta) return tensor;
  if (mean < a - 2 * std || mean > b + 2 * std) {
    warnOnce('truncNormal_: the mean is more than 2 std from [a, b]: the distribution may be wrong.');
  }
  const inside = normalCdf((b - mean) / std) - normalCdf((a - mean) / std);
  const draw = inside > 0.3 ? redraw : rejectionSample;
  scope(() => noGrad(() => draw(tensor, given)));
  return tensor;
}
