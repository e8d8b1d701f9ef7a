import type { optim } from 'aiforge';
import {
  autograd,
  func,
  grad,
  nn,
  scope,
  tensor,
  type BaseModel,
  type DType,
  type NestedArray,
  type StepOutput,
  type Tensor,
  vmap,
} from 'aiforge';
import { expectTypeOf } from 'expect-type';

// The compiler is what checks here; the bodies never need to run, but do.
describe('public types', () => {
  const x = tensor(
    [
      [1, 2.5],
      [3, 4],
    ],
    { requiresGrad: true },
  );

  it('give operators real parameters and results', () => {
    expectTypeOf(x.add(1)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.sum({ dim: 1, keepdim: true })).toEqualTypeOf<Tensor>();
    expectTypeOf(x.max(1).indices).toEqualTypeOf<Tensor>();
    expectTypeOf(x.split(1)).toEqualTypeOf<Tensor[]>();
    expectTypeOf(x.dtype).toEqualTypeOf<DType>();
    expectTypeOf(x.detach().add_(1)).toEqualTypeOf<Tensor>();
  });

  it('take elements for numbers, unless their type is named', () => {
    const loss = x.sum();
    expectTypeOf(loss.item()).toEqualTypeOf<number>();
    expectTypeOf(loss.item().toFixed(3)).toEqualTypeOf<string>();
    let total = 0;
    total += loss.item();
    expectTypeOf(total).toEqualTypeOf<number>();
    expectTypeOf(x.gt(0).all().item<boolean>()).toEqualTypeOf<boolean>();
    expectTypeOf(tensor(2n ** 60n).item<number | bigint>()).toEqualTypeOf<number | bigint>();
    expectTypeOf(x.tolist<number[][]>()).toEqualTypeOf<number[][]>();
    expectTypeOf(x.tolist()).toEqualTypeOf<NestedArray<number>>();
    // @ts-expect-error an element is no string
    expectTypeOf(() => x.item<string>()).toBeFunction();
  });

  it('refuse what LibTorch would refuse', () => {
    // @ts-expect-error a string is no tensor
    expectTypeOf(() => x.add('1')).toBeFunction();
    // @ts-expect-error there is no such option
    expectTypeOf(() => x.sum({ dimension: 1 })).toBeFunction();
    // @ts-expect-error there is no such dtype
    expectTypeOf(() => tensor([1], { dtype: 'float31' })).toBeFunction();
  });

  it('keep a scope’s result and a parameter’s class', () => {
    expectTypeOf(scope(() => ({ y: x.mul(2), n: 3 }))).toEqualTypeOf<{ y: Tensor; n: number }>();
    expectTypeOf(grad(x.sum(), x)).toEqualTypeOf<(Tensor | null)[]>();
    expectTypeOf(new nn.Linear(2, 3).weight).toEqualTypeOf<nn.Parameter>();
  });

  it('give function transforms the types of their functions', () => {
    const loss = (params: { w: Tensor }, sample: Tensor): Tensor => params.w.mul(sample).sum();
    expectTypeOf(func.grad(loss)).toEqualTypeOf<(params: { w: Tensor }, sample: Tensor) => { w: Tensor }>();
    expectTypeOf(vmap(loss, { inDims: [null, 0] })).toEqualTypeOf<typeof loss>();
    expectTypeOf(vmap((a, b) => a.dot(b))(x, x)).toEqualTypeOf<Tensor>();
    expectTypeOf(func.vjp((a: Tensor) => ({ y: a }), [x])[1])
      .parameter(0)
      .toEqualTypeOf<{ y: Tensor }>();
    expectTypeOf(func.jvp((a: Tensor) => a, [x], [x])).toEqualTypeOf<[Tensor, Tensor]>();
    expectTypeOf(autograd.functional.jacobian((a: Tensor) => a, x)).toEqualTypeOf<Tensor>();
    expectTypeOf(autograd.functional.jacobian((a: Tensor, b: Tensor) => a.add(b), [x, x])).toEqualTypeOf<Tensor[]>();
    expectTypeOf(autograd.functional.hvp((a: Tensor) => a.sum(), x, x)).toEqualTypeOf<[Tensor, Tensor]>();
    // @ts-expect-error the tangents are of another form than the primals
    expectTypeOf(() => func.jvp((a: Tensor) => a, [x], [3])).toBeFunction();
  });

  it('let a plugin choose its own optimizer', () => {
    expectTypeOf<optim.Adam>().toExtend<ReturnType<BaseModel['configureOptimizer']>>();
    expectTypeOf<optim.SGD>().toExtend<ReturnType<BaseModel['configureOptimizer']>>();
    expectTypeOf<{ loss: Tensor }>().toExtend<StepOutput>();
  });
});
