import { orNull, anything, boolean, listOf, whole, type Kind, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { DType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { aten } from '../../tensor/calls/aten.js';
import { refuse } from './reductions.js';
import { tensorKind, dtypeKind } from '../../tensor/kinds.js';
import { show } from '../../show.js';

export interface GroupedMmOptions {
  /** int32: where each group ends along the dimension that is cut. Default: none; the groups are a first dimension. */
  offs?: Tensor | null;
  /** What is added to the products. Default: none. */
  bias?: Tensor | null;
  /** Default: the inputs'. */
  outDtype?: DType | null;
}

const groupedTakes = signature<GroupedMmOptions>(
  { matA: tensorKind, matB: tensorKind },
  { offs: orNull(tensorKind), bias: orNull(tensorKind), outDtype: orNull(dtypeKind) },
);

const grouped = aten('_grouped_mm');

/**
 * The matrix products of groups of rows with a matrix for each group, as mixtures of experts need them: [rows, k] with
 * `offs` and [groups, k, n] give [rows, n]. As `torch.nn.functional.grouped_mm`.
 *
 * @example
 * import { nn, ones, tensor } from 'aiforge';
 * const [rows, experts] = [ones([3, 8]).to('bfloat16'), ones([2, 8, 8]).to('bfloat16')];
 * const offs = tensor([1, 3], { dtype: 'int32' });
 * nn.functional.groupedMm(rows, experts, { offs }).shape; // [3, 8]
 */
export function groupedMm(matA: Tensor, matB: Tensor, options: GroupedMmOptions = {}): Tensor {
  groupedTakes.check('groupedMm', arguments);
  const { offs = null, bias = null, outDtype = null } = options;
  return grouped(matA, matB, offs, bias, outDtype);
}

const scalings = [
  'TensorWise',
  'RowWise',
  'BlockWise1x16',
  'BlockWise1x32',
  'BlockWise1x128',
  'BlockWise128x128',
] as const;
const swizzles = ['NO_SWIZZLE', 'SWIZZLE_32_4_4'] as const;

/** What one scale is for. */
export type ScalingType = (typeof scalings)[number];
/** How scales lie in memory. */
export type SwizzleType = (typeof swizzles)[number];
type OneOrMore<T> = T | readonly T[];

export interface ScaledMmOptions {
  /** Default: none. */
  swizzleA?: OneOrMore<SwizzleType> | null;
  /** Default: none. */
  swizzleB?: OneOrMore<SwizzleType> | null;
  /** What is added to the product. Default: none. */
  bias?: Tensor | null;
  /** Default: bfloat16. */
  outputDtype?: DType | null;
  /** Which dimensions are summed over. Default: the usual ones. */
  contractionDim?: readonly number[];
  /** Adds up in a narrower dtype where the hardware is faster so. Default: false. */
  useFastAccum?: boolean;
}

const scaledMmOptions: Kinds<ScaledMmOptions> = {
  swizzleA: orNull(anything as Kind<OneOrMore<SwizzleType>>),
  swizzleB: orNull(anything as Kind<OneOrMore<SwizzleType>>),
  bias: orNull(tensorKind),
  outputDtype: orNull(dtypeKind),
  contractionDim: listOf(whole),
  useFastAccum: boolean,
};
const scaledMmParameters = {
  matA: tensorKind,
  matB: tensorKind,
  scaleA: anything,
  scaleRecipeA: anything,
  scaleB: anything,
  scaleRecipeB: anything,
};
const scaledMmTakes = signature<ScaledMmOptions>(scaledMmParameters, scaledMmOptions);

const list = <T>(value: OneOrMore<T> | null): readonly T[] =>
  value === null ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

function numbers<T extends string>(option: string, names: readonly T[], given: OneOrMore<T> | null): number[] {
  return list(given).map((value) => {
    const number = names.indexOf(value);
    return number >= 0
      ? number
      : refuse('scaledMm', `${option} must be one of ${names.join(', ')}, got ${show(value)}`);
  });
}

function scales(
  scaleA: OneOrMore<Tensor>,
  recipeA: OneOrMore<ScalingType>,
  scaleB: OneOrMore<Tensor>,
  recipeB: OneOrMore<ScalingType>,
  { swizzleA = null, swizzleB = null }: ScaledMmOptions,
): unknown[] {
  const side = (scale: OneOrMore<Tensor>, recipe: OneOrMore<ScalingType>, swizzle: OneOrMore<SwizzleType> | null) => [
    list(scale),
    numbers('a scale recipe', scalings, recipe),
    numbers('a swizzle', swizzles, swizzle),
  ];
  return [...side(scaleA, recipeA, swizzleA), ...side(scaleB, recipeB, swizzleB)];
}

const scaled = aten('_scaled_mm_v2');

/**
 * The matrix product of two matrices of narrow numbers with their scales. As `torch.nn.functional.scaled_mm`.
 *
 * @example
 * import { nn, ones, tensor } from 'aiforge';
 * const x = ones([16, 32]).to('float8_e4m3fn');
 * const scale = tensor(0.5);
 * nn.functional.scaledMm(x, x.t(), scale, 'TensorWise', scale, 'TensorWise').dtype; // 'bfloat16'
 */
export function scaledMm(
  matA: Tensor,
  matB: Tensor,
  scaleA: OneOrMore<Tensor>,
  scaleRecipeA: OneOrMore<ScalingType>,
  scaleB: OneOrMore<Tensor>,
  scaleRecipeB: OneOrMore<ScalingType>,
  options: ScaledMmOptions = {},
): Tensor {
  scaledMmTakes.check('scaledMm', arguments);
  const { bias = null, outputDtype = 'bfloat16', contractionDim = [], useFastAccum = false } = options;
  const given = scales(scaleA, scaleRecipeA, scaleB, scaleRecipeB, options);
  return scaled(matA, matB, ...given, bias, outputDtype, contractionDim, useFastAccum);
}

export interface ScaledGroupedMmOptions extends ScaledMmOptions {
  /** int32: where each group ends along the dimension that is cut. Default: none. */
  offs?: Tensor | null;
}

const scaledGroupedMmTakes = signature<ScaledGroupedMmOptions>(scaledMmParameters, {
  offs: orNull(tensorKind),
  ...scaledMmOptions,
});

const scaledGrouped = aten('_scaled_grouped_mm_v2');

/** `groupedMm` of narrow numbers with their scales, on CUDA devices only. As `torch.nn.functional.scaled_grouped_mm`. */
export function scaledGroupedMm(
  matA: Tensor,
  matB: Tensor,
  scaleA: OneOrMore<Tensor>,
  scaleRecipeA: OneOrMore<ScalingType>,
  scaleB: OneOrMore<Tensor>,
  scaleRecipeB: OneOrMore<ScalingType>,
  options: ScaledGroupedMmOptions = {},
): Tensor {
  scaledGroupedMmTakes.check('scaledGroupedMm', arguments);
  const { offs = null, bias = null, outputDtype = 'bfloat16', contractionDim = [], useFastAccum = false } = options;
  const given = scales(scaleA, scaleRecipeA, scaleB, scaleRecipeB, options);
  return scaledGrouped(matA, matB, ...given, offs, bias, outputDtype, contractionDim, useFastAccum);
}
