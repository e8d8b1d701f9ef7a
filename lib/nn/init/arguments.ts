import type { Signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkInput } from '../checks.js';
import { named } from '../functional/arguments.js';

/** What is given to an initializer after the tensor that it fills, by name; the one place where their arguments are checked. */
export function initArguments<T extends object>(
  name: string,
  tensor: Tensor,
  rest: readonly unknown[],
  defaults: { [P in keyof Required<T>]: T[P] | undefined },
  takes: Signature,
): Required<T> {
  checkInput(name, tensor, 'tensor');
  const given = named<T>(name, rest, defaults);
  takes.checkOptions(name, given);
  return given;
}
