import { AiforgeError } from '../../errors.js';
import { boolean, either, iterable, kind, listOf, number, size, oneOf, orNull } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { tensor } from '../../tensor/creation.js';
import { arange } from '../../tensor/generated/functions.js';
import { padSequence as padTensors } from '../../tensor/generated/nn.js';
import { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators/packing.js';
import { PackedSequence } from './packedSequence.js';
import { tensorKind } from '../../tensor/kinds.js';

export interface BatchFirstOptions {
  /** Whether padded sequences are [batch, length, ...] and not [length, batch, ...]. Default: false. */
  batchFirst?: boolean;
}

export interface PackSequenceOptions {
  /** Refuses sequences that are not sorted by length, longest first; false sorts them. Default: true. */
  enforceSorted?: boolean;
}

export type PackPaddedSequenceOptions = BatchFirstOptions & PackSequenceOptions;

export interface PadSequenceOptions extends BatchFirstOptions {
  /** Default: 0. */
  paddingValue?: number;
  /** Where short sequences are filled up. Default: `'right'`. */
  paddingSide?: 'left' | 'right';
}

export interface PadPackedSequenceOptions extends BatchFirstOptions {
  /** Default: 0. */
  paddingValue?: number;
  /** The length to pad to. Default: that of the longest sequence. */
  totalLength?: number | null;
}

const sequencesKind = either(tensorKind, iterable<Iterable<Tensor>>('a list of Tensors'));
const packedKind = kind<PackedSequence>('a PackedSequence', (value) => value instanceof PackedSequence);

const packPaddedTakes = signature<PackPaddedSequenceOptions>(
  { input: tensorKind, lengths: either(tensorKind, listOf(size)) },
  { batchFirst: boolean, enforceSorted: boolean },
);

/**
 * Packs padded sequences, [length, batch, ...], of the lengths given; what lies beyond a length is left out. As
 * `torch.nn.utils.rnn.pack_padded_sequence`.
 *
 * @throws AiforgeError for lengths that are not above zero, longer than the input, or not sorted with `enforceSorted`.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const { packPaddedSequence } = nn.utils.rnn;
 * const options = { batchFirst: true, enforceSorted: false };
 * const packed = packPaddedSequence(tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]]), [2, 1, 3], options);
 * packed.data.tolist(); // [4, 1, 3, 5, 2, 6]
 * packed.sortedIndices?.tolist(); // [2, 0, 1]
 */
export function packPaddedSequence(
  input: Tensor,
  lengths: Tensor | readonly number[],
  options: PackPaddedSequenceOptions = {},
): PackedSequence {
  packPaddedTakes.check('packPaddedSequence', arguments);
  const { batchFirst = false, enforceSorted = true } = options;
  let sizes = Tensor.isTensor(lengths) ? lengths.to('int64') : tensor([...lengths], { dtype: 'int64' });
  let sortedIndices: Tensor | null = null;
  if (!enforceSorted) {
    const [longestFirst, indices] = sizes.sort({ descending: true });
    sizes = longestFirst;
    sortedIndices = indices.to(input.device);
    input = input.indexSelect(batchFirst ? 0 : 1, sortedIndices);
  }
  const [data, batchSizes] = operators.packPaddedSequence(input, sizes, batchFirst);
  return new PackedSequence(data, batchSizes, { sortedIndices });
}

const padPackedTakes = signature<PadPackedSequenceOptions>(
  { sequence: packedKind },
  { batchFirst: boolean, paddingValue: number, totalLength: orNull(size) },
);

/**
 * Packed sequences as a padded batch in their first order, [length, batch, ...], and their lengths. As
 * `torch.nn.utils.rnn.pad_packed_sequence`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `totalLength` below that of the longest sequence.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const { packSequence, padPackedSequence } = nn.utils.rnn;
 * const [padded, lengths] = padPackedSequence(packSequence([tensor([1, 2]), tensor([3])]), { batchFirst: true });
 * padded.tolist(); // [[1, 2], [3, 0]]
 * lengths.tolist(); // [2, 1]
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options: PadPackedSequenceOptions = {},
): [padded: Tensor, lengths: Tensor] {
  padPackedTakes.check('padPackedSequence', arguments);
  const { batchFirst = false, paddingValue = 0, totalLength = null } = options;
  const longest = sequence.batchSizes.size(0);
  if (totalLength !== null && totalLength < longest) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `padPackedSequence: totalLength must be at least the length of the longest sequence, ${longest}, got ${show(totalLength)}.`,
    );
  }
  const { data, batchSizes, unsortedIndices } = sequence;
  const [padded, lengths] = operators.padPackedSequence(
    data,
    batchSizes,
    batchFirst,
    paddingValue,
    totalLength ?? longest,
  );
  if (unsortedIndices === null) return [padded, lengths];
  return [padded.indexSelect(batchFirst ? 0 : 1, unsortedIndices), lengths.at(unsortedIndices.to('cpu'))];
}

const padTakes = signature<PadSequenceOptions>(
  { sequences: sequencesKind },
  { batchFirst: boolean, paddingValue: number, paddingSide: oneOf('right', 'left') },
);

/**
 * Sequences [length, ...] of several lengths as one batch, [longest, batch, ...], filled up with `paddingValue`. As
 * `torch.nn.utils.rnn.pad_sequence`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const sequences = [tensor([1, 2]), tensor([3])];
 * nn.utils.rnn.padSequence(sequences, { batchFirst: true, paddingValue: -1 }).tolist(); // [[1, 2], [3, -1]]
 */
export function padSequence(sequences: Tensor | Iterable<Tensor>, options: PadSequenceOptions = {}): Tensor {
  padTakes.check('padSequence', arguments);
  const { batchFirst = false, paddingValue = 0, paddingSide = 'right' } = options;
  const list = Tensor.isTensor(sequences) ? sequences.unbind(0) : [...sequences];
  return padTensors(list, batchFirst, paddingValue, paddingSide);
}

const unpadTakes = signature<BatchFirstOptions>(
  { paddedSequences: tensorKind, lengths: tensorKind },
  { batchFirst: boolean },
);

/**
 * A padded batch, [length, batch, ...], as sequences of the lengths given. As `torch.nn.utils.rnn.unpad_sequence`.
 *
 * @throws AiforgeError INVALID_ARGUMENT where there are not as many lengths as sequences.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const sequences = nn.utils.rnn.unpadSequence(tensor([[1, 2], [3, 0]]), tensor([2, 1]), { batchFirst: true });
 * sequences.map((sequence) => sequence.tolist()); // [[1, 2], [3]]
 */
export function unpadSequence(paddedSequences: Tensor, lengths: Tensor, options: BatchFirstOptions = {}): Tensor[] {
  unpadTakes.check('unpadSequence', arguments);
  const { batchFirst = false } = options;
  const batch = batchFirst ? paddedSequences : paddedSequences.transpose(0, 1);
  if (lengths.size(0) !== batch.size(0)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `unpadSequence: expected a length for each of the ${batch.size(0)} sequences, got ${lengths.size(0)}.`,
    );
  }
  const places = arange(batch.size(1), { device: lengths.device });
  const sequences = batch.unbind(0);
  return lengths.unbind(0).map((length, i) => sequences[i]!.at(places.lt(length)));
}

const packTakes = signature<PackSequenceOptions>({ sequences: listOf(tensorKind) }, { enforceSorted: boolean });

/**
 * Packs sequences [length, ...] of several lengths. As `torch.nn.utils.rnn.pack_sequence`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const packed = nn.utils.rnn.packSequence([tensor([6]), tensor([4, 5])], { enforceSorted: false });
 * packed.data.tolist(); // [4, 6, 5]
 */
export function packSequence(sequences: readonly Tensor[], options: PackSequenceOptions = {}): PackedSequence {
  packTakes.check('packSequence', arguments);
  const { enforceSorted = true } = options;
  const lengths = sequences.map((sequence) => sequence.size(0));
  return packPaddedSequence(padSequence(sequences), lengths, { enforceSorted });
}

const unpackTakes = signature({ packedSequences: packedKind });

/**
 * Packed sequences one by one, in their first order. As `torch.nn.utils.rnn.unpack_sequence`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const { packSequence, unpackSequence } = nn.utils.rnn;
 * unpackSequence(packSequence([tensor([1, 2]), tensor([3])])).map((sequence) => sequence.tolist()); // [[1, 2], [3]]
 */
export function unpackSequence(packedSequences: PackedSequence): Tensor[] {
  unpackTakes.check('unpackSequence', arguments);
  const [padded, lengths] = padPackedSequence(packedSequences, { batchFirst: true });
  return unpadSequence(padded, lengths, { batchFirst: true });
}
