import { native, type Handle } from '../../native.js';
import { handleOf, type Tensor } from '../../tensor/tensor.js';

/** The number under which `native.call` knows an operator. */
export const operator = (name: string): number => native.registerOperators([name]);

export const orNull = (tensor: Tensor | null): Handle | null => (tensor === null ? null : handleOf(tensor));
