import { native, type Handle, type Handles } from '../native.js';
import { enterContext } from '../tensor/context.js';

const { call } = native;

// Operators on lists of tensors, called with handles: the optimizers' hot path makes no object for each parameter.

const operator = (name: string): number => native.registerOperators([name]);

/** Calls an operator that changes its arguments and gives nothing back. */
export function run(operator: number, ...args: unknown[]): void {
  enterContext();
  call(operator, ...args);
}

function list(operator: number, ...args: unknown[]): Handles {
  enterContext();
  return Float64Array.from(call(operator, ...args) as Handle[]);
}

const addScalarId = operator('_foreach_add_.Scalar');
export const addScalar_ = (self: Handles, value: number): void => run(addScalarId, self, value);

const addTensorId = operator('_foreach_add_.Tensor');
export const addTensor_ = (self: Handles, value: Handle): void => run(addTensorId, self, value);

const addListInPlaceId = operator('_foreach_add_.List');
export const addList_ = (self: Handles, other: Handles, alpha: number): void =>
  run(addListInPlaceId, self, other, alpha);

const addListId = operator('_foreach_add.List');
export const addList = (self: Handles, other: Handles, alpha: number): Handles => list(addListId, self, other, alpha);

const negateId = operator('_foreach_neg');
export const negate = (self: Handles): Handles => list(negateId, self);

const multiplyId = operator('_foreach_mul_.Scalar');
export const multiply_ = (self: Handles, value: number): void => run(multiplyId, self, value);

const divideId = operator('_foreach_div_.Scalar');
export const divide_ = (self: Handles, value: number): void => run(divideId, self, value);

const lerpId = operator('_foreach_lerp_.Scalar');
export const lerp_ = (self: Handles, other: Handles, weight: number): void => run(lerpId, self, other, weight);

const addcmulId = operator('_foreach_addcmul_.Scalar');
export const addcmul_ = (self: Handles, a: Handles, b: Handles, value: number): void =>
  run(addcmulId, self, a, b, value);

const addcdivId = operator('_foreach_addcdiv_.Scalar');
export const addcdiv_ = (self: Handles, a: Handles, b: Handles, value: number): void =>
  run(addcdivId, self, a, b, value);

const maximumId = operator('_foreach_maximum_.List');
export const maximum_ = (self: Handles, other: Handles): void => run(maximumId, self, other);

const sqrtId = operator('_foreach_sqrt');
export const sqrt = (self: Handles): Handles => list(sqrtId, self);

const powId = operator('pow.Scalar');
/** C's `pow`, which Python's `**` is too; JavaScript's differs from it in the last bit. */
export function pow(base: number, exponent: number): number {
  enterContext();
  const power = native.fromTypedArray(Float64Array.of(exponent), 'float64', []);
  return native.item(call(powId, base, power) as Handle) as number;
}
