import { AiforgeError } from '../errors.js';
import { noGrad } from '../autograd/modes.js';
import { fromTypedArray } from '../tensor/typedArrays.js';
import { eye, emptyLike, full, randperm, where } from '../tensor/generated/functions.js';
import { qr } from '../tensor/generated/linalg.js';
import type { Generator } from '../tensor/generator.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { calculateGain, fans, type FanMode, type Nonlinearity } from './gain.js';

export { calculateGain, type FanMode, type Nonlinearity } from './gain.js';

export interface GeneratorOptions {
  /** Default: the default generator. */
  generator?: Generator | null;
}

export interface UniformOptions extends GeneratorOptions {
  /** The least value. Default: 0. */
  a?: number;
  /** The bound above. Default: 1. */
  b?: number;
}

export interface NormalOptions extends GeneratorOptions {
  /** Default: 0. */
  mean?: number;
  /** Default: 1. */
  std?: number;
}

export interface TruncNormalOptions extends NormalOptions {
  /** The least value. Default: -2. */
  a?: number;
  /** The greatest value. Default: 2. */
  b?: number;
}

export interface GainOptions extends GeneratorOptions {
  /** Default: 1. */
  gain?: number;
}

export interface KaimingOptions extends GeneratorOptions {
  /** The negative slope of a `'leaky_relu'`. Default: 0. */
  a?: number;
  /** Keeps the variance forward ('fan_in') or backward ('fan_out'). Default: `'fan_in'`. */
  mode?: FanMode;
  /** Default: `'leaky_relu'`. */
  nonlinearity?: Nonlinearity;
}

export interface SparseOptions extends GeneratorOptions {
  /** The fraction of each column that is 0. */
  sparsity: number;
  /** Default: 0.01. */
  std?: number;
}

// As everywhere in PyTorch's names: what may be given by position may be given in the options instead.
function byName<T extends object>(first: number | T | undefined, name: keyof T, rest: T): T {
  return typeof first === 'object' ? first : first === undefined ? rest : { ...rest, [name]: first };
}

function reject(message: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', message);
}

const sqrt = Math.sqrt;

/** Draws from the uniform distribution over [a, b): `uniform_(t, -1, 1)` or `uniform_(t, { a: -1 })`. */
export function uniform_<T extends Tensor>(
  tensor: T,
  a?: number | UniformOptions,
  b?: number,
  options: GeneratorOptions = {},
): T {
  const { a: from = 0, b: to = 1, generator = null } = byName<UniformOptions>(a, 'a', { ...options, b });
  noGrad(() => tensor.uniform_(from, to, { generator }));
  return tensor;
}

/** Draws from the normal distribution: `normal_(t, 0, 0.02)` or `normal_(t, { std: 0.02 })`. */
export function normal_<T extends Tensor>(
  tensor: T,
  mean?: number | NormalOptions,
  std?: number,
  options: GeneratorOptions = {},
): T {
  const {
    mean: centre = 0,
    std: width = 1,
    generator = null,
  } = byName<NormalOptions>(mean, 'mean', { ...options, std });
  noGrad(() => tensor.normal_(centre, width, { generator }));
  return tensor;
}

export function constant_<T extends Tensor>(tensor: T, value: number | { val: number }): T {
  noGrad(() => tensor.fill_(typeof value === 'number' ? value : value.val));
  return tensor;
}

export function ones_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 1);
}

export function zeros_<T extends Tensor>(tensor: T): T {
  noGrad(() => tensor.zero_());
  return tensor;
}

/** The identity matrix, in two dimensions. */
export function eye_<T extends Tensor>(tensor: T): T {
  const [rows, columns, ...more] = tensor.shape;
  if (rows === undefined || columns === undefined || more.length > 0)
    reject(`eye_: expected 2 dimensions, got [${tensor.shape.join(', ')}].`);
  scope(() => noGrad(() => void tensor.copy_(eye(rows, columns, { dtype: tensor.dtype, device: tensor.device }))));
  return tensor;
}

/** The Dirac delta, which a convolution passes its input through with, in each of `groups` groups of channels. */
export function dirac_<T extends Tensor>(tensor: T, groups: number | { groups?: number } = 1): T {
  const count = typeof groups === 'number' ? groups : (groups.groups ?? 1);
  const [out = 0, input = 0, ...kernel] = tensor.shape;
  if (kernel.length < 1 || kernel.length > 3)
    reject(`dirac_: expected 3, 4 or 5 dimensions, got [${tensor.shape.join(', ')}].`);
  if (out % count !== 0) reject(`dirac_: the ${out} output channels must be divisible by groups, ${count}.`);
  const size = out / count;
  scope(() =>
    noGrad(() => {
      tensor.zero_();
      for (let channel = 0; channel < out; ++channel) {
        const from = channel % size;
        if (from >= input) continue;
        kernel
          .reduce<Tensor>(
            (at, length) => at.select(0, Math.floor(length / 2)),
            tensor.select(0, channel).select(0, from),
          )
          .fill_(1);
      }
    }),
  );
  return tensor;
}

function xavierStd(tensor: Tensor, gain: number): number {
  const { fan_in, fan_out } = fans(tensor);
  return gain * sqrt(2 / (fan_in + fan_out));
}

export function xavierUniform_<T extends Tensor>(
  tensor: T,
  gain?: number | GainOptions,
  options: GeneratorOptions = {},
): T {
  const { gain: factor = 1, generator } = byName<GainOptions>(gain, 'gain', options);
  const bound = sqrt(3) * xavierStd(tensor, factor);
  return uniform_(tensor, -bound, bound, { generator });
}

export function xavierNormal_<T extends Tensor>(
  tensor: T,
  gain?: number | GainOptions,
  options: GeneratorOptions = {},
): T {
  const { gain: factor = 1, generator } = byName<GainOptions>(gain, 'gain', options);
  return normal_(tensor, 0, xavierStd(tensor, factor), { generator });
}

function kaimingStd(tensor: Tensor, { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' }: KaimingOptions): number {
  const fan = fans(tensor)[mode] as number | undefined;
  if (fan === undefined) reject(`mode: expected 'fan_in' or 'fan_out', got '${mode}'.`);
  return calculateGain(nonlinearity, a) / sqrt(fan);
}

export function kaimingUniform_<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  if (tensor.numel() === 0) return tensor;
  const bound = sqrt(3) * kaimingStd(tensor, options);
  return uniform_(tensor, -bound, bound, options);
}

export function kaimingNormal_<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  if (tensor.numel() === 0) return tensor;
  return normal_(tensor, 0, kaimingStd(tensor, options), { generator: options.generator });
}

const normalCdf = (x: number): number =>
  (1 +
    scope(() =>
      fromTypedArray(Float64Array.of(x / Math.SQRT2))
        .erf()
        .item<number>(),
    )) /
  2;

type Bounds = Required<Pick<TruncNormalOptions, 'mean' | 'std' | 'a' | 'b' | 'generator'>>;

// Draws again what falls outside: cheap where most of the distribution lies inside.
function redraw(tensor: Tensor, { mean, std, a, b, generator }: Bounds): void {
  const rounded = (bound: number): number => full([], bound, { dtype: tensor.dtype }).item<number>();
  const [low, high] = [rounded(a), rounded(b)];
  let result: Tensor = tensor.normal_(mean, std, { generator });
  for (;;) {
    const outside = result.lt(low).bitwiseOr(result.gt(high));
    if (outside.any().item() === false) break;
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
  while (pending.any().item() === true) {
    candidates.uniform_(a, b, { generator });
    result = where(pending, candidates, result);
    pending = where(pending, refused(), pending);
  }
  if (result !== tensor) tensor.copy_(result);
}

/** Draws from the normal distribution within [a, b]: `truncNormal_(t, { std: 0.02, a: -0.04, b: 0.04 })`. */
export function truncNormal_<T extends Tensor>(tensor: T, options: TruncNormalOptions = {}): T {
  const { mean = 0, std = 1, a = -2, b = 2, generator = null } = options;
  const inside = normalCdf((b - mean) / std) - normalCdf((a - mean) / std);
  const draw = inside > 0.3 ? redraw : rejectionSample;
  scope(() => noGrad(() => draw(tensor, { mean, std, a, b, generator })));
  return tensor;
}

/** A random matrix with orthogonal rows or columns; dimensions after the first count as one. */
export function orthogonal_<T extends Tensor>(
  tensor: T,
  gain?: number | GainOptions,
  options: GeneratorOptions = {},
): T {
  const { gain: factor = 1, generator = null } = byName<GainOptions>(gain, 'gain', options);
  if (tensor.dim() < 2) reject(`orthogonal_: expected 2 dimensions or more, got [${tensor.shape.join(', ')}].`);
  if (tensor.numel() === 0) return tensor;
  const rows = tensor.size(0);
  const columns = tensor.numel() / rows;
  scope(() =>
    noGrad(() => {
      const flat = tensor.newEmpty([rows, columns]).normal_(0, 1, { generator });
      const [q, r] = qr(rows < columns ? flat.t() : flat);
      q.mul_(r.diag().sign());
      const result = rows < columns ? q.t() : q;
      tensor.viewAs(result).copy_(result);
      tensor.mul_(factor);
    }),
  );
  return tensor;
}

/** Draws from a normal distribution, then zeroes a fraction of each column. */
export function sparse_<T extends Tensor>(
  tensor: T,
  sparsity: number | SparseOptions,
  options: Omit<SparseOptions, 'sparsity'> = {},
): T {
  const given = typeof sparsity === 'number' ? { ...options, sparsity } : sparsity;
  const [rows, columns, ...more] = tensor.shape;
  if (rows === undefined || columns === undefined || more.length > 0)
    reject(`sparse_: expected 2 dimensions, got [${tensor.shape.join(', ')}].`);
  const zeroed = Math.ceil(given.sparsity * rows);
  scope(() =>
    noGrad(() => {
      tensor.normal_(0, given.std ?? 0.01, { generator: given.generator ?? null });
      for (let column = 0; column < columns; ++column) {
        const indices = randperm(rows).narrow(0, 0, zeroed);
        tensor.select(1, column).indexFill_(0, indices, 0);
      }
    }),
  );
  return tensor;
}
