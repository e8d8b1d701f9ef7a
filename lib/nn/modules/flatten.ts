import { AiforgeError } from '../../errors.js';
import { whole, listOf, optional } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { flatten, unflatten } from '../operators.js';
import { pythonTuple } from '../printing/printing.js';
import { refuseSurplus } from '../checks.js';

const flattenTakes = signature({ startDim: optional(whole), endDim: optional(whole) });

/**
 * Makes the dimensions from `startDim` (default 1, so that the batch stays) to `endDim` (default -1, the last) one.
 *
 * From `[…, S_start, …, S_end, …]` to `[…, S_start * … * S_end, …]`. As `torch.nn.Flatten`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.Flatten().forward(zeros([2, 3, 4])).shape; // [2, 12]
 */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    flattenTakes.check(new.target.name, arguments);
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return flatten(input, this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

const unflattenTakes = signature({ dim: whole, unflattenedSize: listOf(whole) });

/**
 * Splits the dimension `dim` into those of `unflattenedSize`, whose product is its size; one of them may be -1, which
 * stands for what is left. The reverse of `Flatten`.
 *
 * From `[…, S_dim, …]` to `[…, U_1, …, U_n, …]`. As `torch.nn.Unflatten`.
 *
 * @throws AiforgeError INVALID_ARGUMENT unless `unflattenedSize` is an array of whole numbers.
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.Unflatten(1, [3, -1]).forward(zeros([2, 12])).shape; // [2, 3, 4]
 */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: readonly number[];

  constructor(dim: number, unflattenedSize: readonly number[]) {
    unflattenTakes.check(new.target.name, arguments);
    super();
    const given: unknown = unflattenedSize;
    if (!Array.isArray(given) || !given.every((size) => Number.isSafeInteger(size))) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `Unflatten: unflattenedSize must be an array of whole numbers, got ${show(unflattenedSize)}.`,
      );
    }
    this.dim = dim;
    this.unflattenedSize = [...unflattenedSize];
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return unflatten(input, this.dim, this.unflattenedSize);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${pythonTuple(this.unflattenedSize)}`;
  }
}
