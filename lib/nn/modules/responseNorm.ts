import { AiforgeError } from '../../errors.js';
import { number, size, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { AutogradFunction, type FunctionContext } from '../../autograd/function.js';
import { emptyLike, zeros } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { localResponseNorm } from '../functional/normalization.js';
import { Module } from '../module.js';
import { pythonFloat } from '../printing/printing.js';
import { checkInput, refuseSurplus } from '../checks.js';

export interface ResponseNormOptions {
  /** The weight of the neighbours. Default: 1e-4. */
  alpha?: number;
  /** The exponent. Default: 0.75. */
  beta?: number;
  /** Added to the neighbours' strength. Default: 1. */
  k?: number;
}

const responseNormOptions: Kinds<ResponseNormOptions> = { alpha: number, beta: number, k: number };

const responseNormTakes = signature({ size }, responseNormOptions);

abstract class ResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, options: ResponseNormOptions = {}) {
    responseNormTakes.check(new.target.name, arguments);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    super();
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }
}

/**
 * Divides by the strength of the `size` neighbouring channels, `x / (k + alpha * mean(x²))^beta` with zeros beyond the
 * first and last, from [N, C, *] to the same shape. As `torch.nn.LocalResponseNorm`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.LocalResponseNorm(3).forward(randn([2, 5, 4, 4])).shape; // [2, 5, 4, 4]
 */
export class LocalResponseNorm extends ResponseNorm {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput(this.constructor.name, input);
    return localResponseNorm(input, this.size, this.alpha, this.beta, this.k);
  }

  override extraRepr(): string {
    const { size, alpha, beta, k } = this;
    return `${size}, alpha=${pythonFloat(alpha)}, beta=${pythonFloat(beta)}, k=${pythonFloat(k)}`;
  }
}

/**
 * `LocalResponseNorm` of images, [N, C, H, W], with sums that are carried from channel to channel: faster for a large `size`,
 * and rounded otherwise. As `torch.nn.CrossMapLRN2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.CrossMapLRN2d(3).forward(randn([2, 5, 4, 4])).shape; // [2, 5, 4, 4]
 */
export class CrossMapLRN2d extends ResponseNorm {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput(this.constructor.name, input);
    return CrossMap.apply(input, this.size, this.alpha, this.beta, this.k);
  }

  // The default of `k` is a whole number in PyTorch, and prints as one.
  override extraRepr(): string {
    const k = Number.isInteger(this.k) ? String(this.k) : pythonFloat(this.k);
    return `${this.size}, alpha=${pythonFloat(this.alpha)}, beta=${pythonFloat(this.beta)}, k=${k}`;
  }
}

type CrossMapContext = FunctionContext<{ size: number; alpha: number; beta: number; scale: Tensor }>;

class CrossMap extends AutogradFunction {
  static forward(
    context: CrossMapContext,
    input: Tensor,
    size: number,
    alpha: number,
    beta: number,
    k: number,
  ): Tensor {
    if (input.dim() !== 4) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `CrossMapLRN2d: expected an input [N, C, H, W], got [${input.shape.join(', ')}].`,
      );
    }
    const squares = input.pow(2);
    const scale = channelSums(squares, Math.trunc((size - 1) / 2 + 1))
      .mul_(alpha / size)
      .add_(k);
    const output = scale.pow(-beta).mul_(input);
    Object.assign(context, { size, alpha, beta, scale });
    context.saveForBackward(input, output);
    return output;
  }

  static backward(context: CrossMapContext, gradient: Tensor): (Tensor | null)[] {
    const [input, output] = context.savedTensors as [Tensor, Tensor];
    const { size, alpha, beta, scale } = context;
    const [batch, channels, height, width] = input.shape as [number, number, number, number];
    const { dtype, device } = input;
    const padded = zeros([channels + size - 1, height, width], { dtype, device });
    const center = padded.narrow(0, Math.trunc(size - (size - 1) / 2), channels);
    const result = scale.pow(-beta).mul_(gradient);
    for (let n = 0; n < batch; ++n) {
      center.copy_(gradient.select(0, n).mul(output.select(0, n)).div_(scale.select(0, n)));
      const sums = padded.narrow(0, 0, size - 1).sum(0);
      for (let c = 0; c < channels; ++c) {
        sums.add_(padded.select(0, c + size - 1));
        const factor = (-2 * alpha * beta) / size;
        result.select(0, n).select(0, c).addcmul_(input.select(0, n).select(0, c), sums, { value: factor });
        sums.add_(padded.select(0, c), { alpha: -1 });
      }
    }
    return [result, null, null, null, null];
  }
}

/** For each channel the sum over those up to `reach - 1` away, each made from the one before. */
function channelSums(squares: Tensor, reach: number): Tensor {
  const channels = squares.size(1);
  const sums = emptyLike(squares, { memoryFormat: 'contiguous_format' });
  const first = sums.select(1, 0).zero_();
  for (let c = 0; c < Math.min(reach, channels); ++c) first.add_(squares.select(1, c));
  for (let c = 1; c < channels; ++c) {
    const sum = sums.select(1, c).copy_(sums.select(1, c - 1));
    if (c < channels - reach + 1) sum.add_(squares.select(1, c + reach - 1));
    if (c > reach) sum.add_(squares.select(1, c - reach), { alpha: -1 });
  }
  return sums;
}
