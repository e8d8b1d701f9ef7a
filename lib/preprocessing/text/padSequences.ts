import { count, isListOf, kind as kindOf, oneOf, orNull, whole } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { fromTypedArray, Tensor } from '../../tensor/index.js';
import { refusal } from '../tables/frame.js';

/** Numbers of tokens, and which of them are padding. */
export interface Encoding {
  /** int64 [length] of a text, [texts, length] of a batch. */
  inputIds: Tensor;
  /** int64 of the same shape: 1 for tokens, 0 for padding. */
  attentionMask: Tensor;
}

export type Side = 'left' | 'right';

export interface PadSequencesOptions {
  /** Longer sequences are cut; default null, none are. */
  maxLength?: number | null;
  /** Padded to the longest of them, or to `maxLength`; default 'longest'. */
  padding?: 'longest' | 'max_length';
  /** Where padding stands; default 'right'. */
  paddingSide?: Side;
  /** Where sequences are cut; default 'right'. */
  truncationSide?: Side;
  /** What padding is; default 0. */
  paddingValue?: number;
}

export const side = oneOf('left', 'right');

const takes = signature<PadSequencesOptions>(
  {
    sequences: kindOf<readonly unknown[]>(
      'an array of sequences: arrays of whole numbers, or tensors [length]',
      Array.isArray,
    ),
  },
  {
    maxLength: orNull(count),
    padding: oneOf('longest', 'max_length'),
    paddingSide: side,
    truncationSide: side,
    paddingValue: whole,
  },
);

/** The first so many, or the last. */
export const truncated = (ids: readonly number[], length: number, from: Side): readonly number[] => {
  if (ids.length <= length) return ids;
  return from === 'right' ? ids.slice(0, length) : ids.slice(ids.length - length);
};

const MOST_NUMBERS = 2 ** 31 - 1;

/** Sequences as one int64 matrix, with the mask of what is no padding. None may be longer than `length`. */
export function padded(sequences: readonly (readonly number[])[], length: number, value: number, at: Side): Encoding {
  const numbers = sequences.length * length;
  if (numbers > MOST_NUMBERS) {
    throw refusal('padSequences', `${sequences.length} sequences of ${length} would have more than 2^31-1 numbers; give a smaller length, or fewer sequences`); // prettier-ignore
  }
  const ids = new Float64Array(numbers).fill(value);
  const mask = new Uint8Array(ids.length);
  sequences.forEach((sequence, row) => {
    const start = row * length + (at === 'left' ? length - sequence.length : 0);
    ids.set(sequence, start);
    mask.fill(1, start, start + sequence.length);
  });
  const shape = [sequences.length, length];
  return {
    inputIds: fromTypedArray(ids).to('int64').reshape(shape),
    attentionMask: fromTypedArray(mask).to('int64').reshape(shape),
  };
}

function idsOf(sequence: unknown, row: number): number[] {
  const isTensor = Tensor.isTensor(sequence) && sequence.dim() === 1;
  const ids = isTensor ? sequence.tolist<number[]>().map(Number) : sequence;
  if (isListOf(ids, whole)) return ids;
  throw refusal(
    'padSequences',
    `sequence ${row} must be an array of whole numbers, or a tensor [length] of them, got ${show(sequence)}`,
  );
}

/**
 * Sequences of different lengths as one matrix: cut to `maxLength`, and padded to one length.
 *
 * @example
 * import { padSequences } from 'aiforge/preprocessing';
 * const { inputIds, attentionMask } = padSequences([[5, 6, 7], [8]]);
 * inputIds.tolist(); // [ [ 5, 6, 7 ], [ 8, 0, 0 ] ]
 * attentionMask.tolist(); // [ [ 1, 1, 1 ], [ 1, 0, 0 ] ]
 */
export function padSequences(
  sequences: readonly (readonly number[] | Tensor)[],
  options: PadSequencesOptions = {},
): Encoding {
  takes.check('padSequences', arguments);
  const { maxLength = null, padding = 'longest' } = options;
  const { paddingSide = 'right', truncationSide = 'right', paddingValue = 0 } = options;
  if (padding === 'max_length' && maxLength === null) {
    throw refusal('padSequences', "padding: 'max_length' needs maxLength");
  }
  const all = sequences.map((sequence, row) => truncated(idsOf(sequence, row), maxLength ?? Infinity, truncationSide));
  const longest = all.reduce((most, { length }) => Math.max(most, length), 0);
  return padded(all, padding === 'max_length' ? maxLength! : longest, paddingValue, paddingSide);
}
