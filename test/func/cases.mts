import { autograd, func, manualSeed, nn, rand, stack, tensor, vmap, type Tensor } from 'aiforge';

// The cases of test/reference/transforms.py, under the same names.
const f64 = (values: number | number[] | number[][]): Tensor => tensor(values, { dtype: 'float64' });

export const X = f64([
  [0.5, -1.25, 2],
  [1.5, 0.75, -0.5],
]);
const Y = f64([
  [1, 0.25, -0.5],
  [2, -1, 3],
]);
export const V = f64([0.5, 2, -1]);
export const W = f64([1, -0.5, 0.25]);

export const wave = (x: Tensor): Tensor => x.sin().mul(x).sum();
export const pair = (a: Tensor, b: Tensor): [Tensor, Tensor] => [a.mul(b).exp(), a.sin().mul(b).sum()];
const product = (a: Tensor, b: Tensor): Tensor => a.sin().mul(b.exp()).sum();

const { functional } = autograd;
const { grad, gradAndValue, hessian, jacfwd, jacrev, jvp, vjp } = func;

class Network extends nn.Module {
  first = new nn.Linear(3, 4, { dtype: 'float64' });
  second = new nn.Linear(4, 2, { dtype: 'float64' });
  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).tanh());
  }
}

function perSample(): unknown {
  manualSeed(0);
  const net = new Network();
  const loss = (params: Record<string, Tensor>, x: Tensor, y: Tensor): Tensor =>
    nn.functional.mseLoss(func.functionalCall(net, params, x), y);
  const params = Object.fromEntries(Array.from(net.namedParameters(), ([name, p]) => [name, p.detach()]));
  const gradients = vmap(grad(loss), { inDims: [null, 0, 0] })(params, X, Y.narrow(1, 0, 2));
  // A Sequential has numbers for names.
  const names: Record<string, string> = { first: '0', second: '2' };
  return Object.fromEntries(
    Object.entries(gradients).map(([name, value]) => [name.replace(/^\w+/, (layer) => names[layer]!), value]),
  );
}

function ensemble(): Tensor {
  manualSeed(0);
  const linear = () => new nn.Linear(3, 2, { dtype: 'float64' });
  const nets = [linear(), linear()];
  const [params] = func.stackModuleState(nets);
  return vmap((p: Record<string, Tensor>, x: Tensor) => func.functionalCall(nets[0]!, p, x), { inDims: [0, null] })(
    params,
    X,
  );
}

function dropped(randomness: 'different' | 'same'): Tensor {
  manualSeed(0);
  return vmap((x: Tensor) => x.mul(rand([3], { dtype: 'float64' })), { randomness })(X);
}

export const cases: Record<string, () => unknown> = {
  'vmap dot': () => vmap((a, b) => a.dot(b))(X, Y),
  'vmap in and out dims': () =>
    vmap((a: Tensor, b: Tensor) => a.add(b), { inDims: [1, null], outDims: 1 })(X, Y.select(1, 0)),
  'vmap nested': () =>
    vmap(
      vmap((a: Tensor, b: Tensor) => a.mul(b), { inDims: [0, null] }),
      { inDims: [0, 0] },
    )(X, Y.select(1, 1)),
  'vmap tree': () =>
    vmap((t: { a: Tensor; b: Tensor }) => ({ sum: t.a.sum(), both: [t.a.mul(t.b), t.b] }))({ a: X, b: Y }),
  'vmap chunks': () => vmap((a: Tensor) => a.cumsum(0), { inDims: 1, chunkSize: 2 })(X),
  'vmap linalg': () => vmap((a: Tensor) => a.inverse())(stack([X.narrow(1, 0, 2), Y.narrow(1, 0, 2)])),
  'vmap sort': () => vmap((a: Tensor) => a.sort())(X),
  'vmap unused': () => vmap((_: Tensor) => V)(X),
  'vmap random different': () => dropped('different'),
  'vmap random same': () => dropped('same'),
  grad: () => grad(wave)(X),
  'grad argnums': () => grad((a: Tensor, b: Tensor) => a.mul(b.exp()).sum(), { argnums: [1, 0] })(X, Y),
  'grad of grad': () => grad((v: Tensor) => grad(wave)(v).mul(W).sum())(V),
  'grad and value': () => gradAndValue(wave)(V),
  'grad aux': () => grad((v: Tensor) => [wave(v), v.cos()] as const, { hasAux: true })(V),
  'grad tree': () => grad((p: { w: Tensor; b: [Tensor] }) => p.w.mul(V).add(p.b[0]).pow(2).sum())({ w: W, b: [V] }),
  'vmap grad': () => vmap(grad(wave))(X),
  'grad vmap': () => grad((x: Tensor) => vmap(wave)(x).prod())(X),
  vjp: () => vjp(pair, [V, W])[1]([V, f64(2)]),
  'vjp output': () => vjp(pair, [V, W])[0],
  jvp: () => jvp(pair, [V, W], [W, V]),
  'jvp of jvp': () => jvp((v: Tensor) => jvp(wave, [v], [W])[1], [V], [V]),
  jacrev: () => jacrev(pair, { argnums: [0, 1] })(V, W),
  'jacrev chunks': () => jacrev((x: Tensor) => x.sin().reshape([-1]), { chunkSize: 4 })(X),
  jacfwd: () => jacfwd(pair, { argnums: [0, 1] })(V, W),
  'jacfwd aux': () => jacfwd((v: Tensor) => [v.sin(), v.cos()], { hasAux: true })(V),
  hessian: () => hessian(wave)(V),
  'hessian argnums': () => hessian(product, { argnums: [0, 1] })(V, W),
  'vmap jacrev': () => vmap(jacrev((v: Tensor) => v.sin().mul(v.sum())))(X),
  'vmap hessian': () => vmap(hessian(wave))(X),
  'jacfwd of jacrev': () => jacfwd(jacrev(wave))(V),
  'jacrev of jacfwd': () => jacrev(jacfwd(wave))(V),
  'per-sample gradients': perSample,
  ensemble,
  'functional.jacobian': () => functional.jacobian(pair, [V, W]),
  'functional.jacobian vectorized': () => functional.jacobian(pair, [V, W], { vectorize: true }),
  'functional.jacobian forward': () => functional.jacobian(pair, [V, W], { vectorize: true, strategy: 'forward-mode' }),
  'functional.jacobian of one': () => functional.jacobian((v: Tensor) => v.sin(), V),
  'functional.hessian': () => functional.hessian(product, [V, W]),
  'functional.hessian vectorized': () => functional.hessian(wave, V, { vectorize: true }),
  'functional.hessian forward': () =>
    functional.hessian(wave, V, { vectorize: true, outerJacobianStrategy: 'forward-mode' }),
  'functional.vjp': () => functional.vjp(pair, [V, W], [V, f64(2)]),
  'functional.jvp': () => functional.jvp(pair, [V, W], [W, V]),
  'functional.vhp': () => functional.vhp(product, [V, W], [W, V]),
  'functional.hvp': () => functional.hvp(product, [V, W], [W, V]),
};
