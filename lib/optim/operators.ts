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

const listOf = (handles: unknown): Handles => Float64Array.from(handles as Handle[]);

// By the number of arguments: `call` counts those that it gets, and spreading them costs time.

function changing0(name: string): (self: Handles) => void {
  const id = operator(name);
  return (self) => {
    enterContext();
    call(id, self);
  };
}

function changing1<A>(name: string): (self: Handles, a: A) => void {
  const id = operator(name);
  return (self, a) => {
    enterContext();
    call(id, self, a);
  };
}

function changing2<A, B>(name: string): (self: Handles, a: A, b: B) => void {
  const id = operator(name);
  return (self, a, b) => {
    enterContext();
    call(id, self, a, b);
  };
}

function changing3<A, B, C>(name: string): (self: Handles, a: A, b: B, c: C) => void {
  const id = operator(name);
  return (self, a, b, c) => {
    enterContext();
    call(id, self, a, b, c);
  };
}

function making0(name: string): (self: Handles) => Handles {
  const id = operator(name);
  return (self) => {
    enterContext();
    return listOf(call(id, self));
  };
}

function making1<A>(name: string): (self: Handles, a: A) => Handles {
  const id = operator(name);
  return (self, a) => {
    enterContext();
    return listOf(call(id, self, a));
  };
}

function making2<A, B>(name: string): (self: Handles, a: A, b: B) => Handles {
  const id = operator(name);
  return (self, a, b) => {
    enterContext();
    return listOf(call(id, self, a, b));
  };
}

function making3<A, B, C>(name: string): (self: Handles, a: A, b: B, c: C) => Handles {
  const id = operator(name);
  return (self, a, b, c) => {
    enterContext();
    return listOf(call(id, self, a, b, c));
  };
}

export const addScalar_ = changing1<number>('_foreach_add_.Scalar');
export const addScalar = making1<number>('_foreach_add.Scalar');
/** self + other * alpha. */
export const addList_ = changing2<Handles, number>('_foreach_add_.List');
export const addList = making2<Handles, number>('_foreach_add.List');
/** self - other * alpha. */
export const subtractList = making2<Handles, number>('_foreach_sub.List');
export const negate = making0('_foreach_neg');
export const multiply_ = changing1<number>('_foreach_mul_.Scalar');
const multiplyTensor_ = changing1<Handle>('_foreach_mul_.Tensor');
export const multiply = making1<number>('_foreach_mul.Scalar');
export const multiplyList_ = changing1<Handles>('_foreach_mul_.List');
export const multiplyList = making1<Handles>('_foreach_mul.List');
export const divide_ = changing1<number>('_foreach_div_.Scalar');
export const divide = making1<number>('_foreach_div.Scalar');
const divideList_ = changing1<Handles>('_foreach_div_.List');
const divideListApart = making1<Handles>('_foreach_div.List');
/** self + weight * (other - self). */
export const lerp_ = changing2<Handles, number>('_foreach_lerp_.Scalar');
/** self + value * a * b. */
export const addcmul_ = changing3<Handles, Handles, number>('_foreach_addcmul_.Scalar');
export const addcmul = making3<Handles, Handles, number>('_foreach_addcmul.Scalar');
/** self + value * a / b. */
export const addcdiv_ = changing3<Handles, Handles, number>('_foreach_addcdiv_.Scalar');
export const maximum_ = changing1<Handles>('_foreach_maximum_.List');
export const atLeast_ = changing1<number>('_foreach_clamp_min_.Scalar');
export const atMost_ = changing1<number>('_foreach_clamp_max_.Scalar');
export const sqrt = making0('_foreach_sqrt');
export const sqrt_ = changing0('_foreach_sqrt_');
export const absolute = making0('_foreach_abs');
export const reciprocal_ = changing0('_foreach_reciprocal_');
export const sign = making0('_foreach_sign');
export const copy_ = changing1<Handles>('_foreach_copy_');

/**
 * self * value as Python's `mul_` on a tensor has it. On lists LibTorch rounds the number to the tensors' dtype first, which
 * shows in 16 bits.
 */
export function scale_(self: Handles, value: number): void {
  enterContext();
  multiplyTensor_(self, native.wrapNumber(value));
}

const viewAsRealId = operator('view_as_real');
const viewAsComplexId = operator('view_as_complex');

/** self + value, in place unless the graph of a recorded step needs self as it is. */
export function plusScalar(self: Handles, value: number, isRecorded: boolean): Handles {
  if (isRecorded) return addScalar(self, value);
  addScalar_(self, value);
  return self;
}

/** self / other likewise. */
export function divideList(self: Handles, other: Handles, isRecorded: boolean): Handles {
  if (isRecorded) return divideListApart(self, other);
  divideList_(self, other);
  return self;
}

/** Complex tensors as pairs of real numbers, on the same memory: one call each, since there is no operator on lists. */
export const viewAsReal = (self: Handles): Handles => eachOf(viewAsRealId, self);
export const viewAsComplex = (self: Handles): Handles => eachOf(viewAsComplexId, self);

function eachOf(id: number, self: Handles): Handles {
  enterContext();
  return self.map((handle) => call(id, handle) as Handle);
}

const flattenId = operator('flatten_dense_tensors');
const unflattenId = operator('unflatten_dense_tensors');

/** One tensor of all elements, copied. */
export function flatten(self: Handles): Handle {
  enterContext();
  return call(flattenId, self) as Handle;
}

/** The parts of such a tensor, with the shapes of others. */
export function unflatten(flat: Handle, like: Handles): Handles {
  enterContext();
  return listOf(call(unflattenId, flat, like));
}

const powId = operator('pow.Scalar');
/** C's `pow`, which Python's `**` is too; JavaScript's differs from it in the last bit. */
export function pow(base: number, exponent: number): number {
  enterContext();
  const power = native.fromTypedArray(Float64Array.of(exponent), 'float64', []);
  return native.item(call(powId, base, power) as Handle) as number;
}
