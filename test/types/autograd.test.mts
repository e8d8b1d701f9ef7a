import { autograd, checkpoint, ones, type GradHook, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';

// The compiler is what checks here; the bodies never need to run, but do.
describe('types of autograd', () => {
  const x = ones([2], { requiresGrad: true });

  class Split extends autograd.Function {
    static forward(ctx: autograd.FunctionContext<{ at?: number }>, value: Tensor, at: number): [Tensor, Tensor] {
      ctx.at = at;
      return [value.narrow(0, 0, at), value.narrow(0, at, value.shape[0]! - at)];
    }
    static backward(_ctx: autograd.FunctionContext, a: Tensor, b: Tensor): [Tensor, null] {
      return [a.add(b), null];
    }
  }

  it('give a Function the arguments and the result of its forward', () => {
    expectTypeOf(Split.apply(x, 1)).toEqualTypeOf<[Tensor, Tensor]>();
    // @ts-expect-error the second argument is missing
    expectTypeOf(() => void Split.apply(x)).toBeFunction();
    // @ts-expect-error a Function is not made with new: it is abstract
    expect(new autograd.Function()).to.be.an('object');
  });

  it('give checkpoint the arguments and the result of its function', () => {
    const fn = (value: Tensor, factor: number): [Tensor, string] => [value.mul(factor), 'done'];
    expectTypeOf(checkpoint(fn, x, 2)).toEqualTypeOf<[Tensor, string]>();
    expectTypeOf(checkpoint(fn, x, 2, { preserveRngState: false })).toEqualTypeOf<[Tensor, string]>();
    // @ts-expect-error the factor is a number
    expectTypeOf(() => checkpoint(fn, x, '2')).toBeFunction();
    // @ts-expect-error there is no such option
    expectTypeOf(() => checkpoint(fn, x, 2, { reentrant: true })).toBeFunction();
  });

  it('give bodies and hooks theirs', () => {
    expectTypeOf(autograd.detectAnomaly(() => 3)).toEqualTypeOf<number>();
    expectTypeOf(autograd.setGradEnabled(true, () => 'a')).toEqualTypeOf<string>();
    expectTypeOf<(grad: Tensor) => void>().toExtend<GradHook>();
    expectTypeOf<(grad: Tensor) => Tensor>().toExtend<GradHook>();
    expectTypeOf(x.backwardAsync()).toEqualTypeOf<Promise<void>>();
  });
});
