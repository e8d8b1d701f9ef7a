import { native, type Handle, type Handles } from '../native.js';

// Operators on lists of tensors, called with handles: the optimizers' hot path makes no object for each parameter.

const operator = (name: string): number => native.registerOperators([name]);

const addScalarId = operator('_foreach_add_.Scalar');
export const addScalar_ = (list: Handles, value: number): void => void native.call(addScalarId, list, value);

const addTensorId = operator('_foreach_add_.Tensor');
export const addTensor_ = (list: Handles, value: Handle): void => void native.call(addTensorId, list, value);

const addListInPlaceId = operator('_foreach_add_.List');
export const addList_ = (list: Handles, other: Handles, alpha: number): void =>
  void native.call(addListInPlaceId, list, other, alpha);

const addListId = operator('_foreach_add.List');
export const addList = (list: Handles, other: Handles, alpha: number): Handles =>
  Float64Array.from(native.call(addListId, list, other, alpha) as Handle[]);

const negateId = operator('_foreach_neg');
export const negate = (list: Handles): Handles => Float64Array.from(native.call(negateId, list) as Handle[]);

const multiplyId = operator('_foreach_mul_.Scalar');
export const multiply_ = (list: Handles, value: number): void => void native.call(multiplyId, list, value);

const divideId = operator('_foreach_div_.Scalar');
export const divide_ = (list: Handles, value: number): void => void native.call(divideId, list, value);

const lerpId = operator('_foreach_lerp_.Scalar');
export const lerp_ = (list: Handles, other: Handles, weight: number): void =>
  void native.call(lerpId, list, other, weight);

const addcmulId = operator('_foreach_addcmul_.Scalar');
export const addcmul_ = (list: Handles, a: Handles, b: Handles, value: number): void =>
  void native.call(addcmulId, list, a, b, value);

const addcdivId = operator('_foreach_addcdiv_.Scalar');
export const addcdiv_ = (list: Handles, a: Handles, b: Handles, value: number): void =>
  void native.call(addcdivId, list, a, b, value);

const maximumId = operator('_foreach_maximum_.List');
export const maximum_ = (list: Handles, other: Handles): void => void native.call(maximumId, list, other);

const sqrtId = operator('_foreach_sqrt');
export const sqrt = (list: Handles): Handles => Float64Array.from(native.call(sqrtId, list) as Handle[]);

const powId = operator('pow.Scalar');
/** C's `pow`, which Python's `**` is too; JavaScript's differs from it in the last bit. */
export function pow(base: number, exponent: number): number {
  const power = native.fromTypedArray(Float64Array.of(exponent), 'float64', []);
  return native.item(native.call(powId, base, power) as Handle) as number;
}
