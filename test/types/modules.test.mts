import { nn, ones, type Tensor } from 'aiforge';
import { expectTypeOf } from 'expect-type';

class Model extends nn.Module {
  hidden = new nn.Linear(2, 3);
  scale = new nn.Parameter(ones([3]));
  total = new nn.Buffer(ones([]));
  override forward(x: Tensor, times = 1): Tensor {
    return this.hidden.forward(x).mul(this.scale).mul(times);
  }
}

// The compiler is what checks here; the bodies never need to run, but do.
describe('types of modules', () => {
  const model = new Model();

  it('know the members by their names', () => {
    expectTypeOf(model.hidden.weight).toEqualTypeOf<nn.Parameter>();
    expectTypeOf(model.deepCopy()).toEqualTypeOf<Model>();
    expectTypeOf(model.to('float64').eval().requiresGrad_(false)).toEqualTypeOf<Model>();
    // @ts-expect-error there is no such member
    expectTypeOf(() => void model.hiden).toBeFunction();
    // @ts-expect-error a plain tensor is no parameter
    expectTypeOf(() => (model.scale = ones([3]))).toBeFunction();
    // @ts-expect-error another module is no Linear
    expectTypeOf(() => (model.hidden = new nn.ReLU())).toBeFunction();
  });

  it('give hooks the types of forward', () => {
    model.registerForwardPreHook((module, args) => {
      expectTypeOf(module).toEqualTypeOf<Model>();
      expectTypeOf(args).toEqualTypeOf<[x: Tensor, times?: number]>();
      return args;
    });
    model.registerForwardHook((_, args, output) => {
      expectTypeOf(output).toEqualTypeOf<Tensor>();
    });
    // @ts-expect-error forward gives a Tensor
    expectTypeOf(() => model.registerForwardHook(() => 3)).toBeFunction();
    for (const module of model.modules()) {
      module.registerForwardHook((_, args, output) => {
        expectTypeOf(args).toEqualTypeOf<unknown[]>();
        expectTypeOf(output).toEqualTypeOf<unknown>();
      });
    }
  });

  it('know what containers hold', () => {
    const dict = new nn.ModuleDict({ a: new nn.Linear(1, 1), b: new nn.ReLU() });
    expectTypeOf(dict.at('a')).toEqualTypeOf<nn.Linear>();
    expectTypeOf(new nn.ModuleList([new nn.Linear(1, 1)]).at(0)).toEqualTypeOf<nn.Linear>();
    expectTypeOf(new nn.ParameterList([ones([1])]).at(0)).toEqualTypeOf<nn.Parameter>();
    expectTypeOf(nn.utils.parametrizations.weightNorm(new nn.Linear(2, 2)).weight).toEqualTypeOf<nn.Parameter>();
    // @ts-expect-error a string is no layer
    expectTypeOf(() => new nn.Sequential('relu')).toBeFunction();
  });
});
