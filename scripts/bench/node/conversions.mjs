// Indexing, conversion and what users write for autograd; python/conversions.py has the same rows.
import { autograd, fromTypedArray, nn, rand, randn, tensor } from 'aiforge';

const tenMegabytes = 2_621_440; // float32

function indexing() {
  const x = randn(8, 8);
  const mask = x.gt(0);
  return { row: () => x.at(1), block: () => x.at('1:5', '::2'), mask: () => x.at(mask) };
}

function copies() {
  const data = Float32Array.from({ length: tenMegabytes }, (_, i) => i);
  const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
  const target = new Float32Array(tenMegabytes);
  return {
    copied: () => tensor(data).dispose(),
    shared: () => fromTypedArray(shared),
    memcpy: () => target.set(data),
  };
}

class Square extends autograd.Function {
  static forward(ctx, x) {
    ctx.saveForBackward(x);
    return x.mul(x);
  }

  static backward(ctx, gradient) {
    return ctx.savedTensors[0].mul(gradient).mul(2);
  }
}

function customFunction() {
  const x = randn([16], { requiresGrad: true });
  return () => Square.apply(x).sum().backward();
}

function gradcheckModel() {
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.Tanh(), new nn.Linear(8, 2));
  for (const parameter of model.parameters()) parameter.setData(parameter.to('float64'));
  const x = rand([3, 4], { dtype: 'float64', requiresGrad: true });
  return () => autograd.gradcheck((input) => model.forward(input), [x]);
}

function tolist() {
  const x = randn(100, 100);
  return () => x.tolist();
}

/** row: how it is built, iterations a round, iterations before the first round of the process; `scoped` rows run in scopes */
export const conversions = {
  index_row: { build: () => indexing().row, iterations: 1000, warmUp: 10000, scoped: true },
  index_block: { build: () => indexing().block, iterations: 1000, warmUp: 10000, scoped: true },
  index_mask: { build: () => indexing().mask, iterations: 1000, warmUp: 10000, scoped: true },
  tolist: { build: tolist, iterations: 10, warmUp: 200 },
  typed_array: { build: () => copies().copied, iterations: 1, warmUp: 20 },
  shared_array: { build: () => copies().shared, iterations: 100, warmUp: 1000, scoped: true },
  memcpy: { build: () => copies().memcpy, iterations: 1, warmUp: 20 },
  custom_function: { build: customFunction, iterations: 100, warmUp: 2000, scoped: true },
  gradcheck: { build: gradcheckModel, iterations: 1, warmUp: 5 },
};
