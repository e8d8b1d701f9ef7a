import { AiforgeError } from '../errors.js';
import { optional, whole } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from './tensor.js';

const dimTakes = signature({ dim: optional(whole) });

/** One of a tensor's sizes or strides, or all of them. */
export function along(tensor: Tensor, name: string, all: number[], given: ArrayLike<unknown>): number | number[] {
  dimTakes.check(name, given);
  const dim = given[0] as number | undefined;
  const found = dim === undefined ? all : all.at(dim);
  if (found !== undefined) return found;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}(${dim}): the tensor has ${all.length} dimensions, [${tensor.shape.join(', ')}].`,
  );
}
