import { AiforgeError } from '../errors.js';
import { count, kind, number, oneOf } from '../kinds.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { stack, type Tensor } from '../tensor/index.js';
import { constantPadNd } from '../tensor/generated/functions.js';
import { collate, type Collated } from './collate.js';

export interface PadOptions {
  /** What is put where a sample has nothing. Default: 0. */
  paddingValue?: number;
  /** Where it is put. Default: `'right'`. */
  paddingSide?: 'left' | 'right';
  /** Makes every padded length a multiple of it. Default: 1. */
  padToMultipleOf?: number;
}

/** What `padCollate` makes of samples: lists of numbers are tensors too. */
export type Padded<T> = T extends readonly number[]
  ? Tensor
  : T extends readonly unknown[] | Readonly<Record<string, unknown>>
    ? T extends Tensor
      ? Tensor
      : { -readonly [Key in keyof T]: Padded<T[Key]> }
    : Collated<T>;

const padTakes = signature<PadOptions>(
  {},
  { paddingValue: number, paddingSide: oneOf('left', 'right'), padToMultipleOf: count },
);
const paddedTakes = signature({
  samples: kind('an array of samples, one or more', (value) => Array.isArray(value) && value.length > 0),
});

const optionsOf = new WeakMap<object, PadOptions>();

/** @internal The options of a function that `padCollate` made; undefined for any other. */
export const padOptionsOf = (value: object): PadOptions | undefined => optionsOf.get(value);

/**
 * A collate function as `defaultCollate`, but for tensors of different sizes, and lists of numbers of different lengths: each dimension
 * is padded to the largest of the batch. Lists of numbers become tensors. As `torch.nn.utils.rnn.pad_sequence` with the batch first.
 *
 * @throws AiforgeError INVALID_ARGUMENT from the function, for tensors with different numbers of dimensions, and as `defaultCollate`.
 * @example
 * import { data } from 'aiforge';
 * const collate = data.padCollate({ paddingValue: -1 });
 * collate([{ tokens: [5, 6, 7] }, { tokens: [8] }]).tokens.tolist(); // [[5, 6, 7], [8, -1, -1]]
 */
export function padCollate(options: PadOptions = {}): <T>(samples: readonly T[]) => Padded<T> {
  padTakes.check('padCollate', arguments);
  const stacking = { stack: stackPadded(options), takesLists: true };
  const padded = <T>(samples: readonly T[]): Padded<T> => {
    paddedTakes.check('padCollate', [samples]);
    return collate(samples, stacking) as Padded<T>;
  };
  optionsOf.set(padded, { ...options });
  return padded;
}

const stackPadded =
  ({ paddingValue = 0, paddingSide = 'right', padToMultipleOf = 1 }: PadOptions) =>
  (samples: readonly Tensor[], path: string): Tensor => {
    const [first] = samples;
    const odd = samples.findIndex((sample) => sample.dim() !== first!.dim());
    if (odd >= 0) {
      const place = path === '' ? '' : `${path} of `;
      throw new AiforgeError('INVALID_ARGUMENT', `padCollate: ${place}sample 0 is ${show(first)}, ${place}sample ${odd} ${show(samples[odd])}: tensors with different numbers of dimensions cannot be padded to one size.`); // prettier-ignore
    }
    const sizes = first!.shape.map((_, dim) => {
      const largest = samples.reduce((most, { shape }) => Math.max(most, shape[dim]!), 0);
      return Math.ceil(largest / padToMultipleOf) * padToMultipleOf;
    });
    return stack(samples.map((sample) => padTo(sample, sizes, paddingValue, paddingSide)));
  };

function padTo(sample: Tensor, sizes: readonly number[], value: number, side: 'left' | 'right'): Tensor {
  const missing = sizes.map((size, dim) => size - sample.shape[dim]!);
  if (missing.every((count) => count === 0)) return sample;
  // Its pairs begin with the last dimension.
  return constantPadNd(
    sample,
    missing.reverse().flatMap((count) => (side === 'right' ? [0, count] : [count, 0])),
    value,
  );
}
