import { invalid, named as byName } from '../../tensor/composites/named.js';
import { show } from '../../show.js';

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

/**
 * The parameters by name. `defaults` has them in Python's order; undefined stands for one that must be given.
 */
export function named<T extends object>(
  name: string,
  rest: readonly unknown[],
  defaults: { [P in keyof Required<T>]: T[P] | undefined },
): Required<T> {
  const parameters = Object.keys(defaults) as (keyof T & string)[];
  const found = { ...defaults, ...byName<T>(name, parameters, [...rest]) };
  const missing = parameters.find((key) => found[key] === undefined);
  if (missing !== undefined) throw invalid(name, `${missing} must be given; it takes ${parameters.join(', ')}`);
  const flag = parameters.find((key) => typeof defaults[key] === 'boolean' && typeof found[key] !== 'boolean');
  if (flag !== undefined) throw invalid(name, `${flag} must be true or false, got ${show(found[flag])}`);
  return found as Required<T>;
}
