import { isGradEnabled } from '../autograd/modes.js';
import { native, type Handle, type Handles } from '../native.js';
import { enterContext } from '../tensor/context/context.js';

const { call } = native;

// Operators on lists of tensors, called with handles: the optimizers' hot path makes no object for each parameter.

const operator = (name: string): number => native.registerOperators([name]);

/** Calls an operator that changes its arguments and gives nothing back. */
export function run(operator: number, ...args: unknown[]): void {
  enterContext();
  call(operator, ...args);
}

const listOf = (handles: unknown): Handles => Float64Array.from(handles as Handle[]);

// A step that is recorded calls the operator on each tensor: those on lists keep more for `backward`, also what later
// operators change.
function each(operator: number, self: Handles, ...args: unknown[]): Handle[] {
  enterContext();
  return Array.from(
    self,
    (handle, i) => call(operator, handle, ...args.map((arg) => (arg instanceof Float64Array ? arg[i] : arg))) as Handle,
  );
}

// By the number of arguments: `call` counts those that it gets, and spreading them costs time.

function changing0(name: string, single: string): (self: Handles) => void {
  const [id, one] = [operator(name), operator(single)];
  return (self) => {
    if (isGradEnabled()) {
      each(one, self);
      return;
    }
    enterContext();
    call(id, self);
  };
}

function changing1<A>(name: string, single: string): (self: Handles, a: A) => void {
  const [id, one] = [operator(name), operator(single)];
  return (self, a) => {
    if (isGradEnabled()) {
      each(one, self, a);
      return;
    }
    enterContext();
    call(id, self, a);
  };
}

function changing2<A, B>(name: string, single: string): (self: Handles, a: A, b: B) => void {
  const [id, one] = [operator(name), operator(single)];
  return (self, a, b) => {
    if (isGradEnabled()) {
      each(one, self, a, b);
      return;
    }
    enterContext();
    call(id, self, a, b);
  };
}

function changing3<A, B, C>(name: string, single: string): (self: Handles, a: A, b: B, c: C) => void {
  const [id, one] = [operator(name), operator(single)];
  return (self, a, b, c) => {
    if (isGradEnabled()) {
      each(one, self, a, b, c);
      return;
    }
    enterContext();
    call(id, self, a, b, c);
  };
}

/** Operators that make a list take their time for that: how they are called counts less. */
function making<Args extends unknown[]>(name: string, single: string): (self: Handles, ...args: Args) => Handles {
  const [id, one] = [operator(name), operator(single)];
  return (self, ...args) => {
    if (isGradEnabled()) return Float64Array.from(each(one, self, ...args));
    enterContext();
    return listOf(call(id, self, ...args));
  };
}

export const addScalar_ = changing1<number>('_foreach_add_.Scalar', 'add_.Scalar');
export const addScalar = making<[value: number]>('_foreach_add.Scalar', 'add.Scalar');
/** self + other * alpha. */
export const addList_ = changing2<Handles, number>('_foreach_add_.List', 'add_.Tensor');
export const addList = making<[other: Handles, alpha: number]>('_foreach_add.List', 'add.Tensor');
/** self - other * alpha. */
export const subtractList = making<[other: Handles, alpha: number]>('_foreach_sub.List', 'sub.Tensor');
export const subtractList_ = changing2<Handles, number>('_foreach_sub_.List', 'sub_.Tensor');
export const subtractScalar_ = changing1<number>('_foreach_sub_.Scalar', 'sub_.Scalar');
export const subtractScalar = making<[value: number]>('_foreach_sub.Scalar', 'sub.Scalar');
export const negate = making<[]>('_foreach_neg', 'neg');
export const negate_ = changing0('_foreach_neg_', 'neg_');
export const multiply_ = changing1<number>('_foreach_mul_.Scalar', 'mul_.Scalar');
export const multiply = making<[value: number]>('_foreach_mul.Scalar', 'mul.Scalar');
/** self * a tensor of one element. */
export const multiplyTensor_ = changing1<Handle>('_foreach_mul_.Tensor', 'mul_.Tensor');
export const multiplyTensor = making<[value: Handle]>('_foreach_mul.Tensor', 'mul.Tensor');
export const multiplyList_ = changing1<Handles>('_foreach_mul_.List', 'mul_.Tensor');
export const multiplyList = making<[other: Handles]>('_foreach_mul.List', 'mul.Tensor');
export const divide_ = changing1<number>('_foreach_div_.Scalar', 'div_.Scalar');
const divideByListId = operator('_foreach_div_.ScalarList');
/** As PyTorch divides on lists: by a list of numbers, which on a GPU gives other bits than one number's reciprocal. */
export function divideOnLists_(self: Handles, value: number): void {
  run(divideByListId, self, new Array<number>(self.length).fill(value));
}
export const divide = making<[value: number]>('_foreach_div.Scalar', 'div.Scalar');
/** self / a tensor of one element. */
export const divideTensor_ = changing1<Handle>('_foreach_div_.Tensor', 'div_.Tensor');
export const divideList_ = changing1<Handles>('_foreach_div_.List', 'div_.Tensor');
const divideListApart = making<[other: Handles]>('_foreach_div.List', 'div.Tensor');
/** self + weight * (other - self). */
export const lerp_ = changing2<Handles, number>('_foreach_lerp_.Scalar', 'lerp_.Scalar');
/** self + value * a * b. */
export const addcmul_ = changing3<Handles, Handles, number>('_foreach_addcmul_.Scalar', 'addcmul_');
export const addcmul = making<[a: Handles, b: Handles, value: number]>('_foreach_addcmul.Scalar', 'addcmul');
/** self + value * a / b. */
export const addcdiv_ = changing3<Handles, Handles, number>('_foreach_addcdiv_.Scalar', 'addcdiv_');
export const atLeast_ = changing1<number>('_foreach_clamp_min_.Scalar', 'clamp_min_');
export const atMost_ = changing1<number>('_foreach_clamp_max_.Scalar', 'clamp_max_');
export const sqrt = making<[]>('_foreach_sqrt', 'sqrt');
export const sqrt_ = changing0('_foreach_sqrt_', 'sqrt_');
export const absolute = making<[]>('_foreach_abs', 'abs');
export const reciprocal_ = changing0('_foreach_reciprocal_', 'reciprocal_');
export const sign = making<[]>('_foreach_sign', 'sign');
export const copy_ = changing1<Handles>('_foreach_copy_', 'copy_');

const maximumId = operator('_foreach_maximum_.List');
const [cloneId, largerId] = [operator('clone'), operator('maximum')];

/** The greater of both, in place. */
export function maximum_(self: Handles, other: Handles): void {
  if (!isGradEnabled()) {
    run(maximumId, self, other);
    return;
  }
  // There is no such operator on one tensor; the graph needs what self was.
  const before = Float64Array.from(each(cloneId, self));
  copy_(self, Float64Array.from(each(largerId, before, other)));
}

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

/** Complex tensors as pairs of real numbers, on the same memory: one call each, since there is no operator on lists. */
export const viewAsReal = (self: Handles): Handles => Float64Array.from(each(viewAsRealId, self));
export const viewAsComplex = (self: Handles): Handles => Float64Array.from(each(viewAsComplexId, self));

const flattenId = operator('flatten_dense_tensors');
const unflattenId = operator('unflatten_dense_tensors');

/** One tensor of all elements; of a list of one it may share the memory. */
export function flatten(self: Handles): Handle {
  enterContext();
  return call(flattenId, self) as Handle;
}

/** The parts of such a tensor, with the shapes of others. */
export function unflatten(flat: Handle, like: Handles): Handles {
  enterContext();
  return listOf(call(unflattenId, flat, like));
}

const powersId = operator('_foreach_pow.ScalarAndTensor');
/** base ** each of the exponents. */
export function powers(base: number, exponents: Handles): Handles {
  enterContext();
  return listOf(call(powersId, base, exponents));
}
export const power_ = changing1<number>('_foreach_pow_.Scalar', 'pow_.Scalar');

const powId = operator('pow.Scalar');
/** C's `pow`, which Python's `**` is too; JavaScript's differs from it in the last bit. */
export function pow(base: number, exponent: number): number {
  enterContext();
  const power = native.fromTypedArray(Float64Array.of(exponent), 'float64', []);
  return native.item(call(powId, base, power) as Handle) as number;
}
