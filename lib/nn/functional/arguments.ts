import { AiforgeError } from '../../errors.js';
import { Tensor } from '../../tensor/tensor.js';

type Options<T> = object extends T ? [options?: T] : [options: T];

/**
 * What follows a function's first arguments: Python's other parameters by position, in the order `K`, and an options
 * object for those that are left.
 */
export type Rest<T extends object, K extends readonly string[]> =
  | Options<T>
  | (K extends readonly [infer F extends keyof T & string, ...infer R extends readonly string[]]
      ? [value: T[F], ...rest: Rest<Omit<T, F>, R>]
      : never);

function isOptions(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Tensor.isTensor(value);
}

function refuse(name: string, problem: string, parameters: readonly string[]): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}; it takes ${parameters.join(', ')}.`);
}

/**
 * The parameters by name. `defaults` has them in Python's order; undefined stands for one that must be given.
 */
export function named<T extends object>(
  name: string,
  rest: readonly unknown[],
  defaults: { [P in keyof Required<T>]: T[P] | undefined },
): Required<T> {
  const parameters = Object.keys(defaults);
  const last = rest.at(-1);
  const options = isOptions(last) ? last : {};
  const positional = isOptions(last) ? rest.slice(0, -1) : rest;
  if (positional.length > parameters.length) refuse(name, `${positional.length} further arguments`, parameters);
  const found: Record<string, unknown> = { ...defaults };
  positional.forEach((value, i) => {
    if (value !== undefined) found[parameters[i]!] = value;
  });
  for (const [key, value] of Object.entries(options)) {
    if (!parameters.includes(key)) refuse(name, `no option '${key}'`, parameters);
    if (value !== undefined) found[key] = value;
  }
  const missing = parameters.find((key) => found[key] === undefined);
  if (missing !== undefined) refuse(name, `${missing} must be given`, parameters);
  return found as Required<T>;
}
