import {
  add,
  einsum,
  fft,
  full,
  linalg,
  max,
  mul,
  ones,
  promoteTypes,
  special,
  unique,
  where,
  zeros,
  type DType,
  type Tensor,
} from 'aiforge';
import { expectTypeOf } from 'expect-type';

// The compiler is what checks here; the bodies need not run.
describe('types of operators', () => {
  const x = ones(2, 3);

  it('take any split into positions and options', () => {
    expectTypeOf(x.sum(1, { keepdim: true })).toEqualTypeOf<Tensor>();
    expectTypeOf(x.sum(1, true, { dtype: 'float64' })).toEqualTypeOf<Tensor>();
    expectTypeOf(x.sum([0, 1])).toEqualTypeOf<Tensor>();
    expectTypeOf(x.sum({ dtype: 'float64' })).toEqualTypeOf<Tensor>();
    expectTypeOf(x.sum(1, undefined)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.transpose(0, { dim1: 1 })).toEqualTypeOf<Tensor>();
    expectTypeOf(x.transpose({ dim0: 0, dim1: 1 })).toEqualTypeOf<Tensor>();
    expectTypeOf(add({ input: x, other: x })).toEqualTypeOf<Tensor>();
    expectTypeOf(x.view(3, 2)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.view([3, 2])).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros(2, 3)).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros([2], { dtype: 'int8', requiresGrad: false })).toEqualTypeOf<Tensor>();
  });

  it('take numbers, bigints, complex numbers and tensors where Python does', () => {
    expectTypeOf(mul(2, x)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.mul({ re: 0, im: 1 })).toEqualTypeOf<Tensor>();
    expectTypeOf(full([1], 2n ** 60n)).toEqualTypeOf<Tensor>();
    expectTypeOf(full([1], ones([]))).toEqualTypeOf<Tensor>();
    expectTypeOf(x.add(1, { alpha: ones([]) })).toEqualTypeOf<Tensor>();
    expectTypeOf(where(x.gt(0), x, 0)).toEqualTypeOf<Tensor>();
    expectTypeOf(where(x.gt(0))).toEqualTypeOf<Tensor[]>();
    // @ts-expect-error a number is no tensor here, as in Python
    expectTypeOf(() => x.maximum(2)).toBeFunction();
    // @ts-expect-error a fraction's name is no dtype
    expectTypeOf(() => x.sum({ dtype: 'float31' })).toBeFunction();
  });

  it('give tuples with names, dtypes, and the tensor that was changed', () => {
    expectTypeOf(max(x, 1).indices).toEqualTypeOf<Tensor>();
    expectTypeOf(linalg.svd(x).S).toEqualTypeOf<Tensor>();
    expectTypeOf(linalg.qr(x).Q).toEqualTypeOf<Tensor>();
    expectTypeOf(promoteTypes('int8', 'float16')).toEqualTypeOf<DType>();
    expectTypeOf(x.add_(1)).toEqualTypeOf<Tensor>();
    expectTypeOf(fft.rfft(x, { dim: 0 })).toEqualTypeOf<Tensor>();
    expectTypeOf(special.xlogy(x, 2)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.T).toEqualTypeOf<Tensor>();
  });

  it('write to `out` in functions only', () => {
    const out = zeros(2, 3);
    expectTypeOf(add(x, x, { out })).toEqualTypeOf<Tensor>();
    expectTypeOf(max(x, 1, { out: [zeros(2), zeros([2], { dtype: 'int64' })] })).toHaveProperty('indices');
    // @ts-expect-error two results need two tensors
    expectTypeOf(() => max(x, 1, { out })).toBeFunction();
    // @ts-expect-error methods have no out, as in Python
    expectTypeOf(() => x.add(x, { out })).toBeFunction();
  });

  it('know what composites give for their options', () => {
    expectTypeOf(unique(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(unique(x, { returnCounts: true }).counts).toEqualTypeOf<Tensor>();
    expectTypeOf(unique(x, { returnInverse: true, returnCounts: true })).toHaveProperty('inverseIndices');
    expectTypeOf(x.unique({ returnInverse: true })[1]).toEqualTypeOf<Tensor>();
    expectTypeOf(einsum('ij,jk->ik', x, x.T)).toEqualTypeOf<Tensor>();
    expectTypeOf(unique(x)).not.toHaveProperty('counts');
  });
});
