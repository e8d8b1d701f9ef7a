import { checkDepth } from '../depth.js';
import { AiforgeError } from '../errors.js';
import { kind } from '../kinds.js';
import { show } from '../show.js';
import { isOptions, signature } from '../signature.js';
import { isDataView, isRevoked } from '../realms.js';
import { stack, Tensor, tensor, type TypedArray } from '../tensor/index.js';
import { isPromise, notAwaited } from '../promised.js';

/** What becomes of a sample when many are put together: numbers and tensors become tensors with one dimension more. */
export type Collated<T> = T extends Tensor | TypedArray | number | bigint | boolean
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { -readonly [Key in keyof T]: Collated<T[Key]> }
      : { [Key in keyof T]: Collated<T[Key]> };

const collateTakes = signature({
  samples: kind('an array of samples, one or more', (value) => Array.isArray(value) && value.length > 0),
});

/**
 * Puts samples together into a batch, as `torch.utils.data.default_collate`: tensors and typed arrays are stacked, numbers become int64 or
 * float64 tensors, objects and arrays are collated entry by entry, strings stay a list.
 *
 * @throws AiforgeError INVALID_ARGUMENT for samples, or fields of them, that are of different kinds or cannot be put
 * together; it names the sample and the field.
 */
export function defaultCollate<T>(samples: readonly T[]): Collated<T> {
  collateTakes.check('defaultCollate', arguments);
  return collate(samples, plainly) as Collated<T>;
}

/** Makes one tensor of those that stand at `path` of each sample. */
export type Stacker = (samples: readonly Tensor[], path: string) => Tensor;

/** How `collateWith` puts together what is a tensor, or is taken for one. */
export interface Stacking {
  stack: Stacker;
  /** Whether lists of numbers are taken for tensors. */
  takesLists: boolean;
}

type SampleKind = 'tensor' | 'number' | 'string' | 'typed array' | 'array' | 'object' | 'promise' | 'other';

/** Of a proxy that was revoked nothing can be asked. */
function kindOf(value: unknown): SampleKind {
  try {
    return kindOfReadable(value);
  } catch (error) {
    if (isRevoked(error)) return 'other';
    throw error;
  }
}

function kindOfReadable(value: unknown): SampleKind {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return 'number';
    case 'string':
      return 'string';
    case 'object':
      if (Tensor.isTensor(value)) return 'tensor';
      if (isPromise(value)) return 'promise';
      if (ArrayBuffer.isView(value)) return isDataView(value) ? 'other' : 'typed array';
      if (Array.isArray(value)) return 'array';
      return isOptions(value) ? 'object' : 'other';
    default:
      return 'other';
  }
}

const plainly: Stacking = { stack: stackAll, takesLists: false };

/** Puts together what stands at `path` of each sample. */
export function collate(samples: readonly unknown[], stacking: Stacking, path = '', depth = 0): unknown {
  checkDepth(depth, 'a sample');
  const [first] = samples;
  const expected = kindOf(first);
  let odd = 0;
  for (let i = 1; i < samples.length && odd === 0; ++i) if (kindOf(samples[i]) !== expected) odd = i;
  if (odd > 0) throw refusal(samples[odd], place(path, odd), `where ${place(path, 0)} is ${show(first)}`);
  switch (expected) {
    case 'tensor':
      return stacking.stack(samples as Tensor[], path);
    case 'number':
      return collateNumbers(samples as number[]);
    case 'string':
      return [...samples];
    case 'typed array':
      return stacking.stack(
        (samples as TypedArray[]).map((sample) => tensor(sample)),
        path,
      );
    case 'array':
      if (stacking.takesLists && samples.every(isNumbers)) {
        return stacking.stack((samples as number[][]).map(toTensor), path);
      }
      return collateLists(samples as unknown[][], stacking, path, depth + 1);
    case 'object':
      return collateObjects(samples as Record<string, unknown>[], stacking, path, depth + 1);
    case 'promise':
      throw promised(first as PromiseLike<unknown>, place(path, 0));
    case 'other':
      throw refusal(first, place(path, 0), 'which cannot be put together; give the DataLoader a collate function');
  }
}

function stackAll(samples: readonly Tensor[], path: string): Tensor {
  try {
    return stack(samples as Tensor[]);
  } catch (error) {
    const [first] = samples;
    const odd = samples.findIndex((sample) => String(sample.shape) !== String(first!.shape));
    if (odd < 0) throw error;
    throw invalid(
      `the samples have tensors of different shapes: ${place(path, 0)} is ${show(first)}, ${place(path, odd)} ${show(samples[odd])}; ` +
        'pad them, or give the DataLoader a collate function',
    );
  }
}

function collateNumbers(samples: (number | bigint | boolean)[]): Tensor {
  const isMixed = samples.some((sample) => typeof sample !== typeof samples[0]);
  if (typeof samples[0] !== 'number' && !isMixed) return tensor(samples);
  if (samples.every(isWhole)) return tensor(isMixed ? samples.map(BigInt) : samples, { dtype: 'int64' });
  return typeof samples[0] === 'number' ? tensor(samples, { dtype: 'float64' }) : tensor(samples);
}

/** What Python's `int` holds, of which `bool` is one, and int64 too. */
const isWhole = (sample: unknown): boolean =>
  typeof sample !== 'number' || (Number.isInteger(sample) && sample >= -(2 ** 63) && sample < 2 ** 63);

const isNumbers = (sample: unknown): boolean => (sample as unknown[]).every((each) => typeof each === 'number');

const toTensor = (numbers: readonly number[]): Tensor =>
  tensor([...numbers], { dtype: numbers.every(isWhole) ? 'int64' : 'float64' });

function collateLists(samples: unknown[][], stacking: Stacking, path: string, depth: number): unknown[] {
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
      stacking,
      `${path}[${i}]`,
      depth,
    ),
  );
}

function collateObjects(
  samples: Record<string, unknown>[],
  stacking: Stacking,
  path: string,
  depth: number,
): Record<string, unknown> {
  const keys = Object.keys(samples[0]!);
  const known = new Set(keys);
  samples.forEach((sample, i) => {
    for (const key in sample) {
      if (!Object.hasOwn(sample, key) || known.has(key)) continue;
      throw invalid(`${place(path, i)} has a field '${key}', ${place(path, 0)} has none`);
    }
  });
  return Object.fromEntries(
    keys.map((key) => [
      key,
      collate(
        samples.map((sample) => sample[key]),
        stacking,
        path === '' ? key : `${path}.${key}`,
        depth,
      ),
    ]),
  );
}

const place = (path: string, sample: number): string => (path === '' ? '' : `${path} of `) + `sample ${sample}`;

function refusal(value: unknown, where: string, why: string): AiforgeError {
  return isPromise(value) ? promised(value, where) : invalid(`found ${show(value)} as ${where}, ${why}`);
}

function promised(promise: PromiseLike<unknown>, where: string): AiforgeError {
  const problem = `defaultCollate: ${where} is a Promise, expected a value; await it in the dataset's get, which may be asynchronous.`;
  return notAwaited('INVALID_ARGUMENT', problem, promise);
}

function invalid(problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `defaultCollate: ${problem}. Samples count within their batch.`);
}
