import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { warnOnce } from '../../warnOnce.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './adaptivePooling.js';
import { perDimension, type Sizes } from './sizes.js';
import { checkInput } from '../checks.js';

export type InterpolationMode =
  'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area' | 'lanczos';

export interface InterpolateOptions {
  /** Either this or `scaleFactor`. */
  size?: Sizes | null;
  scaleFactor?: Sizes | null;
  /** Default: `'nearest'`. */
  mode?: InterpolationMode;
  /** Whether corners keep their values; for the linear and cubic modes only. Default: false. */
  alignCorners?: boolean | null;
  /** Whether the scale is computed again from the output's size. Default: false. */
  recomputeScaleFactor?: boolean | null;
  /** Smooths on shrinking, for `'bilinear'`, `'bicubic'` and `'lanczos'` on four dimensions. Default: false. */
  antialias?: boolean;
}

type InterpolateOrder = ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor', 'antialias'];

function refuse(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `interpolate: ${problem}.`);
}

// Which operator makes a mode of an input with so many dimensions; those with corners take `alignCorners` too.
const plainKernels: Record<string, (...args: unknown[]) => Tensor> = {
  'nearest 3': aten('upsample_nearest1d.vec'),
  'nearest 4': aten('upsample_nearest2d.vec'),
  'nearest 5': aten('upsample_nearest3d.vec'),
  'nearest-exact 3': aten('_upsample_nearest_exact1d.vec'),
  'nearest-exact 4': aten('_upsample_nearest_exact2d.vec'),
  'nearest-exact 5': aten('_upsample_nearest_exact3d.vec'),
};
const cornerKernels: Record<string, (...args: unknown[]) => Tensor> = {
  'linear 3': aten('upsample_linear1d.vec'),
  'bilinear 4': aten('upsample_bilinear2d.vec'),
  'trilinear 5': aten('upsample_trilinear3d.vec'),
  'bicubic 4': aten('upsample_bicubic2d.vec'),
};
const smoothKernels: Record<string, (...args: unknown[]) => Tensor> = {
  'bilinear 4': aten('_upsample_bilinear2d_aa.vec'),
  'bicubic 4': aten('_upsample_bicubic2d_aa.vec'),
  // Since LibTorch 2.12 or 2.13: looked up when called.
  'lanczos 4': (...args) => aten('_upsample_lanczos2d_aa.vec')(...args),
};
const areaKernels: Record<string, (input: Tensor, size: readonly number[]) => Tensor> = {
  'area 3': adaptiveAvgPool1d,
  'area 4': adaptiveAvgPool2d,
  'area 5': adaptiveAvgPool3d,
};

function perSpatial(name: string, values: Sizes, input: Tensor): readonly number[] {
  const dims = input.dim() - 2;
  const list = perDimension(values, dims);
  if (list.length === dims) return list;
  return refuse(`${name} needs ${dims} numbers for an input of shape [${input.shape.join(', ')}], got ${list.length}`);
}

/**
 * The input at another size, over the dimensions after batch and channels; see `torch.nn.functional.interpolate`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.interpolate(tensor([[[1, 2]]]).to('float32'), { scaleFactor: 2 }); // tensor([[[1., 1., 2., 2.]]])
 */
export function interpolate(input: Tensor, ...rest: Rest<InterpolateOptions, InterpolateOrder>): Tensor {
  checkInput('interpolate', input);
  const given = named<InterpolateOptions>('interpolate', rest, {
    size: null,
    scaleFactor: null,
    mode: 'nearest',
    alignCorners: null,
    recomputeScaleFactor: null,
    antialias: false,
  });
  const { mode, alignCorners, antialias } = given;
  if (mode === 'lanczos' && (!antialias || alignCorners === true)) {
    refuse("mode 'lanczos' needs antialias, and takes no alignCorners");
  }
  if (alignCorners !== null && ['nearest', 'area', 'nearest-exact'].includes(mode)) {
    refuse(`alignCorners is for the linear and cubic modes, not for '${mode}'`);
  }
  const { sizes, scales } = target(input, given);
  const key = `${mode} ${input.dim()}`;
  const area = areaKernels[key];
  if (area !== undefined) return area(input, sizes!);
  const plain = plainKernels[key];
  if (plain !== undefined && !antialias) return plain(input, sizes, scales);
  const kernel = (antialias ? smoothKernels : cornerKernels)[key];
  if (kernel !== undefined) return kernel(input, sizes, alignCorners ?? false, scales);
  return refuse(
    `no mode '${mode}'${antialias ? ' with antialias' : ''} for an input of ${input.dim()} dimensions; 'linear' needs 3, 'bilinear', 'bicubic' and antialias 4, 'trilinear' 5`,
  );
}

/** The output's spatial sizes or the scales: one of them is null. */
function target(input: Tensor, { size, scaleFactor, mode, recomputeScaleFactor }: Required<InterpolateOptions>) {
  if ((size === null) === (scaleFactor === null)) refuse('exactly one of size and scaleFactor must be given');
  if (size !== null) {
    if (recomputeScaleFactor === true) refuse('recomputeScaleFactor means nothing with a size');
    return { sizes: perSpatial('size', size, input), scales: null };
  }
  const scales = perSpatial('scaleFactor', scaleFactor!, input);
  if (mode !== 'area' && recomputeScaleFactor !== true) return { sizes: null, scales };
  const spatial = input.shape.slice(2);
  return { sizes: spatial.map((length, i) => Math.trunc(length * scales[i]!)), scales: null };
}

const deprecated = (name: string): void => {
  warnOnce(`nn.functional.${name} is deprecated: use nn.functional.interpolate.`);
};

export interface UpsampleByOptions {
  /** Either this or `scaleFactor`. */
  size?: Sizes | null;
  scaleFactor?: Sizes | null;
}

export interface UpsampleFunctionOptions extends UpsampleByOptions {
  /** Default: `'nearest'`. */
  mode?: InterpolationMode;
  /** Whether corners keep their values; for the linear and cubic modes only. Default: false. */
  alignCorners?: boolean | null;
}

/**
 * `interpolate` under its old name. As `torch.nn.functional.upsample`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.upsample(tensor([[[1, 2]]]).to('float32'), { size: 4 }).tolist(); // [[[1, 1, 2, 2]]]
 */
export function upsample(
  input: Tensor,
  ...rest: Rest<UpsampleFunctionOptions, ['size', 'scaleFactor', 'mode', 'alignCorners']>
): Tensor {
  deprecated('upsample');
  const defaults = { size: null, scaleFactor: null, mode: 'nearest' as const, alignCorners: null };
  return interpolate(input, named<UpsampleFunctionOptions>('upsample', rest, defaults));
}

/**
 * `interpolate` with mode `'nearest'`. As `torch.nn.functional.upsample_nearest`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.upsampleNearest(tensor([[[1, 2]]]).to('float32'), 4).tolist(); // [[[1, 1, 2, 2]]]
 */
export function upsampleNearest(input: Tensor, ...rest: Rest<UpsampleByOptions, ['size', 'scaleFactor']>): Tensor {
  deprecated('upsampleNearest');
  const { size, scaleFactor } = named<UpsampleByOptions>('upsampleNearest', rest, { size: null, scaleFactor: null });
  return interpolate(input, size, scaleFactor, 'nearest');
}

/**
 * `interpolate` with mode `'bilinear'` and aligned corners. As `torch.nn.functional.upsample_bilinear`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.upsampleBilinear(tensor([[[[0, 1]]]]).to('float32'), [1, 3]).tolist(); // [[[[0, 0.5, 1]]]]
 */
export function upsampleBilinear(input: Tensor, ...rest: Rest<UpsampleByOptions, ['size', 'scaleFactor']>): Tensor {
  deprecated('upsampleBilinear');
  const { size, scaleFactor } = named<UpsampleByOptions>('upsampleBilinear', rest, { size: null, scaleFactor: null });
  return interpolate(input, size, scaleFactor, 'bilinear', true);
}
