import { amp, arange, autograd, linspace, noGrad, softmax, tanh, type DType, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { exact } from '../support/exact.mjs';
import { reference } from '../support/reference.mjs';

class Product extends autograd.Function {
  static forward(ctx: autograd.FunctionContext, x: Tensor, w: Tensor): Tensor {
    ctx.saveForBackward(x, w);
    return x.matmul(w);
  }
  static backward(ctx: autograd.FunctionContext, gradient: Tensor): autograd.FunctionGradients {
    const [x, w] = ctx.savedTensors;
    return [gradient.matmul(w!.t().to(gradient.dtype)).float(), x!.t().float().matmul(gradient.float())];
  }
}

type Options = Omit<amp.AutocastOptions, 'deviceType'>;
type Case = (x: Tensor, w: Tensor) => Tensor | Tensor[];

const autocast = <T,>(body: () => T, options: Options = {}): T =>
  amp.autocast({ deviceType: 'cpu', dtype: 'bfloat16', ...options }, body);

const softmaxOfProducts = (x: Tensor, w: Tensor): Tensor => softmax(x.matmul(w).matmul(w), 1);

// As test/reference/autocast.py has them.
const cases: Record<string, Case> = {
  cached: (x, w) => autocast(() => softmaxOfProducts(x, w)),
  cached_float16: (x, w) => autocast(() => softmaxOfProducts(x, w), { dtype: 'float16' }),
  not_cached: (x, w) => autocast(() => softmaxOfProducts(x, w), { cacheEnabled: false }),
  off: (x, w) => autocast(() => softmaxOfProducts(x, w), { enabled: false }),
  twice: (x, w) => autocast(() => autocast(() => softmaxOfProducts(x, w))),
  float64: (x, w) => autocast(() => x.double().matmul(w.double())),
  function: (x, w) => autocast(() => Product.apply(Product.apply(x, w), w.to('bfloat16'))),
  inner_off: (x, w) =>
    autocast(() => {
      const y = x.matmul(w);
      return y.float().add(autocast(() => y.float().matmul(w), { enabled: false }).matmul(w));
    }),
  other_dtype_inside: (x, w) =>
    autocast(() => {
      const y = autocast(() => x.matmul(w), { dtype: 'float16' });
      return [y, x.matmul(w), y.matmul(w)];
    }),
  without_gradients_first: (x, w) => autocast(() => [noGrad(() => x.matmul(w)), x.matmul(w)]),
  backward_inside: (x, w) =>
    autocast(() => {
      const y = tanh(x.matmul(w));
      y.float().square().sum().backward();
      return [y.detach()];
    }),
  in_place: (x, w) =>
    autocast(() => {
      const y = x.matmul(w).add_(1);
      return y.relu_().addmm(x, w);
    }),
};

type Result = [dtypes: DType[], outputs: unknown[], ...gradients: unknown[]];

function run(of: Case): Result {
  const x = linspace(-2, 2, 12).reshape(3, 4).requiresGrad_();
  const w = arange(16).mul(7).remainder(16).div(11).sub(0.6).reshape(4, 4).requiresGrad_(); // prettier-ignore
  const found = of(x, w);
  const outputs = Array.isArray(found) ? found : [found];
  const losses = outputs.filter((output) => output.requiresGrad).map((output) => output.float().square().sum());
  if (losses.length > 0) losses.reduce((sum, loss) => sum.add(loss)).backward();
  const gradients = [x, w].map(({ grad }) => (grad === null ? null : exact(grad)));
  return [outputs.map(({ dtype }) => dtype), outputs.map((output) => exact(output.float())), ...gradients];
}

describe('regions of autocast', () => {
  it('give Python’s dtypes, outputs and gradients, bit by bit', function () {
    const expected = JSON.parse(reference(this, 'autocast.py')) as Record<string, Result>;
    expect(Object.keys(expected)).to.deep.equal(Object.keys(cases));
    for (const [name, of] of Object.entries(cases)) expect(run(of), name).to.deep.equal(expected[name]);
  });
});
