import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { stack, Tensor, tensor, type TypedArray } from '../tensor/index.js';
import { kind } from '../kinds.js';
import { signature } from '../signature.js';

/** What becomes of a sample when many are put together: numbers and tensors become tensors with one dimension more. */
export type Collated<T> = T extends Tensor | TypedArray | number | bigint | boolean
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly (infer Item)[]
      ? Collated<Item>[]
      : { [Key in keyof T]: Collated<T[Key]> };

const collateTakes = signature({ samples: kind('an array of samples', Array.isArray) });

/**
 * Puts samples together into a batch, as `torch.utils.data.default_collate`: tensors and typed arrays are stacked, numbers become int64 or
 * float64 tensors, objects and arrays are collated entry by entry, strings stay a list.
 *
 * @throws AiforgeError INVALID_ARGUMENT for samples, or fields of them, that are of different kinds or cannot be put
 * together; it names the sample and the field.
 */
export function defaultCollate<T>(samples: readonly T[]): Collated<T> {
  collateTakes.check('defaultCollate', arguments);
  return collate(samples, '') as Collated<T>;
}

type SampleKind = 'tensor' | 'number' | 'string' | 'typed array' | 'array' | 'object' | 'other';

function kindOf(value: unknown): SampleKind {
  if (Tensor.isTensor(value)) return 'tensor';
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return 'number';
    case 'string':
      return 'string';
    case 'object':
      if (value === null || isThenable(value)) return 'other';
      if (ArrayBuffer.isView(value)) return 'typed array';
      return Array.isArray(value) ? 'array' : 'object';
    default:
      return 'other';
  }
}

const isThenable = (value: unknown): boolean => typeof (value as { then?: unknown }).then === 'function';

/** Puts together what stands at `path` of each sample. */
function collate(samples: readonly unknown[], path: string): unknown {
  const [first] = samples;
  const expected = kindOf(first);
  const odd = samples.findIndex((sample) => kindOf(sample) !== expected);
  if (odd > 0) throw refusal(samples[odd], place(path, odd), `where ${place(path, 0)} is ${show(first)}`);
  switch (expected) {
    case 'tensor':
      return stack(samples as Tensor[]);
    case 'number':
      return collateNumbers(samples as number[]);
    case 'string':
      return [...samples];
    case 'typed array':
      return stack((samples as TypedArray[]).map((sample) => tensor(sample)));
    case 'array':
      return collateLists(samples as unknown[][], path);
    case 'object':
      return collateObjects(samples as Record<string, unknown>[], path);
    case 'other':
      throw refusal(first, place(path, 0), 'which cannot be put together; give the DataLoader a collate function');
  }
}

function collateNumbers(samples: (number | bigint | boolean)[]): Tensor {
  if (typeof samples[0] !== 'number') return tensor(samples);
  return tensor(samples, { dtype: samples.every(Number.isInteger) ? 'int64' : 'float64' });
}

function collateLists(samples: unknown[][], path: string): unknown[] {
  const { length } = samples[0]!;
  const odd = samples.findIndex((sample) => sample.length !== length);
  if (odd >= 0) {
    throw invalid(
      `the samples have lists of different lengths: ${place(path, 0)} has ${length} entries, ${place(path, odd)} ${samples[odd]!.length}; ` +
        'pad them, or give the DataLoader a collate function',
    );
  }
  return Array.from({ length }, (_, i) =>
    collate(
      samples.map((sample) => sample[i]),
      `${path}[${i}]`,
    ),
  );
}

function collateObjects(samples: Record<string, unknown>[], path: string): Record<string, unknown> {
  const keys = Object.keys(samples[0]!);
  const known = new Set(keys);
  samples.forEach((sample, i) => {
    const extra = Object.keys(sample).find((key) => !known.has(key));
    if (extra !== undefined) throw invalid(`${place(path, i)} has a field '${extra}', ${place(path, 0)} has none`);
  });
  return Object.fromEntries(
    keys.map((key) => [
      key,
      collate(
        samples.map((sample) => sample[key]),
        path === '' ? key : `${path}.${key}`,
      ),
    ]),
  );
}

const place = (path: string, sample: number): string => (path === '' ? '' : `${path} of `) + `sample ${sample}`;

function refusal(value: unknown, where: string, why: string): AiforgeError {
  if (typeof value === 'object' && value !== null && isThenable(value)) {
    return invalid(
      `${where} is a Promise, but a dataset's get must be synchronous; load the data before, and let get read it`,
    );
  }
  return invalid(`found ${show(value)} as ${where}, ${why}`);
}

function invalid(problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `defaultCollate: ${problem}. Samples count within their batch.`);
}
