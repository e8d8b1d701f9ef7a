import { inspect } from 'node:util';

import { AiforgeError } from '../../errors.js';
import { optional, orNull, size } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';
import { native } from '../../native.js';
import type { Device, DType } from '../../tensor/dtype.js';
import { arange, emptyLike } from '../../tensor/generated/functions.js';
import { tensorKind } from '../../tensor/kinds.js';
import { tensorsOf } from '../../tensor/memory/scope.js';
import { handleOf, type Tensor } from '../../tensor/tensor.js';
import type { ToOptions } from '../../tensor/conversion/to.js';

/** What `PackedSequence.to` takes: a dtype, a device or a tensor that has both, and options; or options alone. */
export type PackedTarget = [target: DType | Device | Tensor | ToOptions, options?: ToOptions];

export interface PackedOrder {
  /** The places that the packed sequences had before they were sorted by length. Default: null, they were sorted. */
  sortedIndices?: Tensor | null;
  /** The reverse of `sortedIndices`. Default: computed. */
  unsortedIndices?: Tensor | null;
}

const packedSequenceTakes = signature<PackedOrder>(
  { data: tensorKind, batchSizes: tensorKind },
  { sortedIndices: orNull(tensorKind), unsortedIndices: orNull(tensorKind) },
);

const permutationTakes = signature({ permutation: orNull(tensorKind) });
const cudaTakes = signature({ index: optional(size) });

/**
 * The permutation that undoes one. As `torch.nn.utils.rnn.invert_permutation`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.utils.rnn.invertPermutation(tensor([2, 0, 1])).tolist(); // [1, 2, 0]
 */
export function invertPermutation(permutation: Tensor): Tensor;
export function invertPermutation(permutation: Tensor | null): Tensor | null;
export function invertPermutation(permutation: Tensor | null): Tensor | null {
  permutationTakes.check('invertPermutation', arguments);
  if (permutation === null) return null;
  const output = emptyLike(permutation, { memoryFormat: 'contiguous_format' });
  return output.scatter_(0, permutation, arange(permutation.numel(), { device: permutation.device }));
}

/**
 * Sequences of several lengths without padding, as recurrent layers take them: all first steps, longest sequence first,
 * then all second steps, and so on. As `torch.nn.utils.rnn.PackedSequence`. `packSequence` and `packPaddedSequence` make
 * one.
 *
 * Shapes: `data` [steps of all sequences, ...], `batchSizes` [steps of the longest sequence].
 *
 * @throws AiforgeError INVALID_ARGUMENT for batch sizes that are not on the CPU.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const packed = nn.utils.rnn.packSequence([tensor([1, 2, 3]), tensor([4, 5]), tensor([6])]);
 * packed.data.tolist(); // [1, 4, 6, 2, 5, 3]
 * packed.batchSizes.tolist(); // [3, 2, 1]
 */
export class PackedSequence {
  readonly data: Tensor;
  /** How many sequences have each step; int64, on the CPU. */
  readonly batchSizes: Tensor;
  readonly sortedIndices: Tensor | null;
  readonly unsortedIndices: Tensor | null;

  constructor(data: Tensor, batchSizes: Tensor, options: PackedOrder = {}) {
    packedSequenceTakes.check(new.target.name, arguments);
    const { sortedIndices = null, unsortedIndices = invertPermutation(sortedIndices) } = options;
    if (batchSizes.device !== 'cpu') {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `PackedSequence: batchSizes must be on the CPU, got one on ${batchSizes.device}. ` +
          'Make packed sequences by packSequence or packPaddedSequence.',
      );
    }
    this.data = data;
    this.batchSizes = batchSizes;
    this.sortedIndices = sortedIndices;
    this.unsortedIndices = unsortedIndices ?? invertPermutation(sortedIndices);
  }

  /** The data in another dtype or on another device, the indices on the data's device; itself when nothing changes. */
  to(...target: PackedTarget): PackedSequence {
    const data = this.data.to(...(target as [Device, ToOptions?]));
    if (native.identity(handleOf(data)) === native.identity(handleOf(this.data))) return this;
    const move = (indices: Tensor | null): Tensor | null => indices?.to({ device: data.device }) ?? null;
    return new PackedSequence(data, this.batchSizes, {
      sortedIndices: move(this.sortedIndices),
      unsortedIndices: move(this.unsortedIndices),
    });
  }

  cpu(): PackedSequence {
    nothing.check('cpu', arguments);
    return this.to('cpu');
  }

  cuda(index = 0): PackedSequence {
    cudaTakes.check('cuda', arguments);
    return this.to(`cuda:${index}`);
  }

  double(): PackedSequence {
    nothing.check('double', arguments);
    return this.to('float64');
  }

  float(): PackedSequence {
    nothing.check('float', arguments);
    return this.to('float32');
  }

  half(): PackedSequence {
    nothing.check('half', arguments);
    return this.to('float16');
  }

  long(): PackedSequence {
    nothing.check('long', arguments);
    return this.to('int64');
  }

  int(): PackedSequence {
    nothing.check('int', arguments);
    return this.to('int32');
  }

  short(): PackedSequence {
    nothing.check('short', arguments);
    return this.to('int16');
  }

  char(): PackedSequence {
    nothing.check('char', arguments);
    return this.to('int8');
  }

  byte(): PackedSequence {
    nothing.check('byte', arguments);
    return this.to('uint8');
  }

  get isCuda(): boolean {
    return this.data.isCuda;
  }

  isPinned(): boolean {
    nothing.check('isPinned', arguments);
    return this.data.isPinned();
  }

  pinMemory(): PackedSequence {
    nothing.check('pinMemory', arguments);
    return new PackedSequence(this.data.pinMemory(), this.batchSizes, {
      sortedIndices: this.sortedIndices?.pinMemory() ?? null,
      unsortedIndices: this.unsortedIndices?.pinMemory() ?? null,
    });
  }

  /** As PyTorch prints it. */
  toString(): string {
    const text = (indices: Tensor | null): string => (indices === null ? 'None' : String(indices));
    return (
      `PackedSequence(data=${String(this.data)}, batch_sizes=${String(this.batchSizes)}, ` +
      `sorted_indices=${text(this.sortedIndices)}, unsorted_indices=${text(this.unsortedIndices)})`
    );
  }

  [inspect.custom](): string {
    return this.toString();
  }

  /** Lets packed sequences leave a `scope`. */
  *[tensorsOf](): Generator<Tensor> {
    for (const tensor of [this.data, this.batchSizes, this.sortedIndices, this.unsortedIndices]) {
      if (tensor !== null) yield tensor;
    }
  }
}
