import { either, fraction, kind, number, oneOf, optional, size, whole, type Kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import { norm } from '../../tensor/composites/reductions.js';
import { kthvalue, rand, randLike, topk, zerosLike } from '../../tensor/generated/functions.js';
import { tensorKind } from '../../tensor/kinds.js';
import type { Tensor } from '../../tensor/tensor.js';
import { refuse } from '../modules/containers.js';
import { BasePruningMethod, computeMaskTakes } from './method.js';

/** The p of a norm, as `norm` takes it. */
export type NormOrder = number | 'fro' | 'nuc';

const amount = kind<number>(
  'a whole number of units, or a fraction from 0 to 1',
  (value) => size.accepts(value) || fraction.accepts(value),
);
export const normOrder: Kind<NormOrder> = either(number, oneOf('fro', 'nuc'));

const amountTakes = signature({ amount });
const structuredTakes = signature({ amount, dim: optional(whole) });
const lnStructuredTakes = signature({ amount, n: normOrder, dim: optional(whole) });
const maskTakes = signature({ mask: tensorKind });

/** A half is rounded to the even neighbour, as Python does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** How many of `size` units an amount means. */
function count(amount: number, size: number): number {
  if (!Number.isInteger(amount)) return roundHalfEven(amount * size);
  return amount <= size ? amount : refuse(`amount: there are ${size} units to prune, got ${amount}.`);
}

function checkStructured(t: Tensor, dim: number): void {
  const dims = t.dim();
  if (dims <= 1) refuse(`Structured pruning needs a tensor of several dimensions, got [${t.shape.join(', ')}].`);
  if (dim >= dims || dim < -dims) refuse(`dim: expected a dimension of [${t.shape.join(', ')}], got ${dim}.`);
}

const along = (dims: number, dim: number, index: Tensor): (Tensor | ':')[] =>
  Array.from({ length: dims }, (_, d) => (d === (dim < 0 ? dim + dims : dim) ? index : ':'));

function withZeros(mask: Tensor, indices: Tensor): Tensor {
  const copy = mask.clone({ memoryFormat: 'contiguous_format' });
  copy.view(-1).set(indices, 0);
  return copy;
}

/** A mask of ones where `index` says along a dimension, and of what the mask before has there. */
function channels(t: Tensor, dim: number, index: Tensor, before: Tensor): Tensor {
  const mask = zerosLike(t).set(along(t.dim(), dim, index), 1);
  return mask.mul_(before.to(mask.dtype));
}

/**
 * Prunes nothing, but gives the tensor a mask. As `torch.nn.utils.prune.Identity`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.utils.prune.Identity().prune(tensor([3, -1, 2])).tolist(); // [3, -1, 2]
 */
export class Identity extends BasePruningMethod {
  readonly pruningType = 'unstructured';

  override computeMask(_t: Tensor, defaultMask: Tensor): Tensor {
    computeMaskTakes.check('computeMask', arguments);
    return defaultMask;
  }
}

/**
 * Prunes elements by chance: `amount` of them, or a fraction when it is no whole number. As
 * `torch.nn.utils.prune.RandomUnstructured`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an amount that is no whole number and no fraction between 0 and 1.
 * @example
 * import { nn, ones } from 'aiforge';
 * new nn.utils.prune.RandomUnstructured(0.5).prune(ones([6])).sum().item(); // 3
 */
export class RandomUnstructured extends BasePruningMethod {
  readonly pruningType = 'unstructured';
  readonly amount: number;

  constructor(amount: number) {
    amountTakes.check(new.target.name, arguments);
    super();
    this.amount = amount;
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    computeMaskTakes.check('computeMask', arguments);
    const units = count(this.amount, t.numel());
    if (units === 0) return defaultMask.clone();
    return withZeros(defaultMask, topk(randLike(t).view(-1), units).indices);
  }
}

/**
 * Prunes the elements of the smallest absolute values: `amount` of them, or a fraction when it is no whole number. As
 * `torch.nn.utils.prune.L1Unstructured`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an amount that is no whole number and no fraction between 0 and 1.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.utils.prune.L1Unstructured(1).prune(tensor([3, -1, 2])).tolist(); // [3, 0, 2]
 */
export class L1Unstructured extends BasePruningMethod {
  readonly pruningType = 'unstructured';
  readonly amount: number;

  constructor(amount: number) {
    amountTakes.check(new.target.name, arguments);
    super();
    this.amount = amount;
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    computeMaskTakes.check('computeMask', arguments);
    const units = count(this.amount, t.numel());
    if (units === 0) return defaultMask.clone();
    return withZeros(defaultMask, topk(t.abs().view(-1), units, { largest: false }).indices);
  }
}

/**
 * Prunes whole channels along `dim` by chance: `amount` of them, or a fraction when it is no whole number. As
 * `torch.nn.utils.prune.RandomStructured`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an amount that is no whole number and no fraction between 0 and 1.
 * @example
 * import { nn, ones } from 'aiforge';
 * const pruned = new nn.utils.prune.RandomStructured(1, 0).prune(ones([3, 2]));
 * pruned.sum(1).sort().values.tolist(); // [0, 2, 2]
 */
export class RandomStructured extends BasePruningMethod {
  readonly pruningType = 'structured';
  readonly amount: number;
  readonly dim: number;

  constructor(amount: number, dim = -1) {
    structuredTakes.check(new.target.name, arguments);
    super();
    this.amount = amount;
    this.dim = dim;
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    computeMaskTakes.check('computeMask', arguments);
    checkStructured(t, this.dim);
    const size = t.size(this.dim);
    const units = count(this.amount, size);
    if (units === 0) return defaultMask;
    const chances = rand([size]);
    const [threshold] = kthvalue(chances, units);
    return channels(t, this.dim, chances.gt(threshold), defaultMask);
  }
}

/**
 * Prunes the channels along `dim` whose norm of order `n` is the smallest: `amount` of them, or a fraction when it is no
 * whole number. As `torch.nn.utils.prune.LnStructured`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an amount that is no whole number and no fraction between 0 and 1.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const weight = tensor([[3, -4], [0.5, 2]]);
 * new nn.utils.prune.LnStructured(1, 2, 0).prune(weight).tolist(); // [[3, -4], [0, 0]]
 */
export class LnStructured extends BasePruningMethod {
  readonly pruningType = 'structured';
  readonly amount: number;
  readonly n: NormOrder;
  readonly dim: number;

  constructor(amount: number, n: NormOrder, dim = -1) {
    lnStructuredTakes.check(new.target.name, arguments);
    super();
    this.amount = amount;
    this.n = n;
    this.dim = dim;
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    computeMaskTakes.check('computeMask', arguments);
    checkStructured(t, this.dim);
    const size = t.size(this.dim);
    const units = count(this.amount, size);
    if (units === 0) return defaultMask;
    const dims = t.dim();
    const others = Array.from({ length: dims }, (_, d) => d).filter((d) => d !== (this.dim + dims) % dims);
    const norms = norm(t, { p: this.n, dim: others });
    return channels(t, this.dim, topk(norms, size - units).indices, defaultMask);
  }
}

/**
 * Prunes by a mask that is given. As `torch.nn.utils.prune.CustomFromMask`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const method = new nn.utils.prune.CustomFromMask(tensor([0, 1, 1]));
 * method.prune(tensor([3, -1, 2])).tolist(); // [0, -1, 2]
 */
export class CustomFromMask extends BasePruningMethod {
  readonly pruningType = 'global';
  readonly mask: Tensor;

  constructor(mask: Tensor) {
    maskTakes.check(new.target.name, arguments);
    super();
    this.mask = mask;
  }

  override computeMask(_t: Tensor, defaultMask: Tensor): Tensor {
    computeMaskTakes.check('computeMask', arguments);
    if (defaultMask.shape.join() !== this.mask.shape.join()) {
      refuse(`mask: expected the shape [${defaultMask.shape.join(', ')}], got [${this.mask.shape.join(', ')}].`);
    }
    return defaultMask.mul(this.mask.to(defaultMask.dtype));
  }
}
