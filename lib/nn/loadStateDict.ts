import { AiforgeError } from '../errors.js';
import { noGrad } from '../autograd/modes.js';
import { scope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';

/** The parameters and persistent buffers of a module under PyTorch's keys. */
export type StateDict = Record<string, Tensor>;

export interface LoadStateDictOptions {
  /** Whether missing and unexpected keys are errors. Tensors of another shape always are. Default: true. */
  strict?: boolean;
}

/** Which keys a state dict lacked and which it had too many. */
export interface LoadStateDictResult {
  missingKeys: string[];
  unexpectedKeys: string[];
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

function misfit(key: string, own: Tensor, given: unknown): string | undefined {
  if (!Tensor.isTensor(given))
    return `${key}: expected a tensor of shape [${own.shape.join(', ')}], got ${typeof given}`;
  if (sameShape(own.shape, given.shape)) return undefined;
  return `${key}: the state dict has shape [${given.shape.join(', ')}], the module [${own.shape.join(', ')}]`;
}

function list(title: string, items: string[]): string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  ${item}`)];
}

/** Copies the entries of `given` into the tensors of `own`: all of them, or after any failure none. */
export function copyStateDict(
  name: string,
  own: ReadonlyMap<string, Tensor>,
  given: Readonly<StateDict> | ReadonlyMap<string, Tensor>,
  { strict = true }: LoadStateDictOptions,
): LoadStateDictResult {
  const source = given instanceof Map ? (given as ReadonlyMap<string, Tensor>) : new Map(Object.entries(given));
  const missingKeys = [...own.keys()].filter((key) => !source.has(key));
  const unexpectedKeys = [...source.keys()].filter((key) => !own.has(key));
  const present = [...own].filter(([key]) => source.has(key));
  const misfits = present.flatMap(([key, tensor]) => misfit(key, tensor, source.get(key)) ?? []);
  const problems = [
    ...(strict ? list('missing keys', missingKeys) : []),
    ...(strict ? list('unexpected keys', unexpectedKeys) : []),
    ...list('entries that do not fit', misfits),
  ];
  if (problems.length > 0) {
    throw new AiforgeError(
      'STATE_DICT_MISMATCH',
      `The state dict does not fit ${name}; nothing was loaded. ${strict ? 'Give { strict: false } to ignore missing and unexpected keys. ' : ''}Found\n${problems.join('\n')}`,
    );
  }
  scope(() => noGrad(() => present.forEach(([key, tensor]) => void tensor.copy_(source.get(key) as Tensor))));
  return { missingKeys, unexpectedKeys };
}
