import { AiforgeError } from '../../errors.js';
import { rand } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import type { PooledWithIndices } from './pooling.js';
import { perDimension, type Sizes } from './sizes.js';
import { checkInput } from '../checks.js';

export interface FractionalMaxPoolOptions {
  kernelSize: Sizes;
  /** Either this or `outputRatio`. */
  outputSize?: Sizes | null;
  /** The output's sizes as fractions of the input's. */
  outputRatio?: Sizes | null;
  /** Default: false. */
  returnIndices?: boolean;
  /** Where the windows lie, between 0 and 1: [batch, channels, dimensions]. Default: drawn. */
  _randomSamples?: Tensor | null;
}

type FractionalOrder = ['kernelSize', 'outputSize', 'outputRatio', 'returnIndices', '_randomSamples'];

interface FractionalMaxPool {
  (
    input: Tensor,
    kernelSize: Sizes,
    options: Omit<FractionalMaxPoolOptions, 'kernelSize'> & { returnIndices: true },
  ): PooledWithIndices;
  (input: Tensor, ...rest: Rest<FractionalMaxPoolOptions, FractionalOrder>): Tensor;
}

type FractionalMaxPoolWithIndices = (
  input: Tensor,
  ...rest: Rest<FractionalMaxPoolOptions, FractionalOrder>
) => PooledWithIndices;

const fractionalDefaults = {
  kernelSize: undefined,
  outputSize: null,
  outputRatio: null,
  returnIndices: false,
  _randomSamples: null,
};

function fractionalMaxPoolWithIndices(name: string, operatorName: string, dims: number): FractionalMaxPoolWithIndices {
  const operator = aten<PooledWithIndices>(operatorName);
  return (input, ...rest) => {
    checkInput(name, input);
    const given = named<FractionalMaxPoolOptions>(name, rest, fractionalDefaults);
    const { kernelSize, outputSize, outputRatio, _randomSamples } = given;
    if (outputSize === null && outputRatio === null) {
      throw new AiforgeError('INVALID_ARGUMENT', `${name}: outputSize or outputRatio must be given.`);
    }
    const spatial = input.shape.slice(-dims);
    const ratio = outputRatio === null ? [] : perDimension(outputRatio, dims);
    const sizes = outputSize ?? spatial.map((size, i) => Math.trunc(size * ratio[i]!));
    const { dtype, device } = input;
    const batch = input.dim() === dims + 1 ? 1 : input.size(0);
    const samples = _randomSamples ?? rand([batch, input.size(-dims - 1), dims], { dtype, device });
    return operator(input, perDimension(kernelSize, dims), perDimension(sizes, dims), samples);
  };
}

function fractionalMaxPool(name: string, pool: FractionalMaxPoolWithIndices): FractionalMaxPool {
  return ((input: Tensor, ...rest: unknown[]) => {
    const given = named<FractionalMaxPoolOptions>(name, rest, fractionalDefaults);
    const pooled = pool(input, given);
    return given.returnIndices ? pooled : pooled[0];
  }) as FractionalMaxPool;
}

/**
 * The greatest value of each window of `[N, C, H, W]`, at places drawn at random, and where it was. As
 * `torch.nn.functional.fractional_max_pool2d_with_indices`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const [, indices] = nn.functional.fractionalMaxPool2dWithIndices(randn([3, 3, 9, 7]), 2, { outputRatio: 0.5 });
 * indices.shape; // [3, 3, 4, 3]
 */
export const fractionalMaxPool2dWithIndices = fractionalMaxPoolWithIndices(
  'fractionalMaxPool2dWithIndices',
  'fractional_max_pool2d',
  2,
);

/**
 * The greatest value of each window of `[N, C, D, H, W]`, at places drawn at random, and where it was. As
 * `torch.nn.functional.fractional_max_pool3d_with_indices`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const [, indices] = nn.functional.fractionalMaxPool3dWithIndices(randn([2, 3, 9, 7, 6]), 2, { outputRatio: 0.5 });
 * indices.shape; // [2, 3, 4, 3, 3]
 */
export const fractionalMaxPool3dWithIndices = fractionalMaxPoolWithIndices(
  'fractionalMaxPool3dWithIndices',
  'fractional_max_pool3d',
  3,
);

/**
 * The greatest value of each window of `[N, C, H, W]`, at places drawn at random. As
 * `torch.nn.functional.fractional_max_pool2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * nn.functional.fractionalMaxPool2d(randn([3, 3, 9, 7]), 2, { outputRatio: 0.5 }).shape; // [3, 3, 4, 3]
 */
export const fractionalMaxPool2d = fractionalMaxPool('fractionalMaxPool2d', fractionalMaxPool2dWithIndices);

/**
 * The greatest value of each window of `[N, C, D, H, W]`, at places drawn at random. As
 * `torch.nn.functional.fractional_max_pool3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * nn.functional.fractionalMaxPool3d(randn([2, 3, 9, 7, 6]), 2, { outputRatio: 0.5 }).shape; // [2, 3, 4, 3, 3]
 */
export const fractionalMaxPool3d = fractionalMaxPool('fractionalMaxPool3d', fractionalMaxPool3dWithIndices);
