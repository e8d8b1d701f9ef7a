import { readFileSync } from 'node:fs';

import { expect } from 'chai';
import { autograd, func, scope, Tensor, vmap } from 'aiforge';

import { reference } from '../support/reference.mjs';
import { cases, pair, V, W, wave, X } from './cases.mjs';

interface Recorded {
  results: Record<string, unknown>;
}

/** A result with its tensors as nested arrays. */
function plain(value: unknown): unknown {
  if (Tensor.isTensor(value)) return value.tolist();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function expectClose(actual: unknown, expected: unknown, where: string): void {
  if (typeof expected === 'number') {
    expect(actual, where).to.be.a('number');
    expect(Math.abs((actual as number) - expected), where).to.be.at.most(1e-12 * Math.max(1, Math.abs(expected)));
    return;
  }
  expect(Object.keys(actual as object), where).to.have.members(Object.keys(expected as object));
  for (const [key, item] of Object.entries(expected as object)) {
    expectClose((actual as Record<string, unknown>)[key], item, `${where}.${key}`);
  }
}

function compare({ results }: Recorded): void {
  expect(Object.keys(cases)).to.have.members(Object.keys(results));
  for (const [name, run] of Object.entries(cases))
    expectClose(
      scope(() => plain(run())),
      results[name],
      name,
    );
}

describe('function transforms', () => {
  it('give what PyTorch was recorded to give', () => {
    compare(JSON.parse(readFileSync('test/fixtures/transforms.json', 'utf8')) as Recorded);
  });

  it('give what PyTorch gives', function () {
    this.timeout(120_000);
    compare(JSON.parse(reference(this, 'transforms.py', '--json')) as Recorded);
  });

  it('agree on Jacobians and Hessians, however they are computed', () => {
    const jacobians = [
      func.jacrev<Tensor[][], [Tensor, Tensor]>(pair, { argnums: [0, 1] })(V, W),
      func.jacrev<Tensor[][], [Tensor, Tensor]>(pair, { argnums: [0, 1], chunkSize: 1 })(V, W),
      func.jacfwd<Tensor[][], [Tensor, Tensor]>(pair, { argnums: [0, 1] })(V, W),
      autograd.functional.jacobian(pair, [V, W]),
      autograd.functional.jacobian(pair, [V, W], { vectorize: true }),
    ].map(plain);
    for (const jacobian of jacobians) expectClose(jacobian, jacobians[0], 'jacobian');
    const hessians = [
      func.hessian(wave)(V),
      func.jacrev(func.jacrev(wave))(V),
      func.jacfwd(func.jacfwd(wave))(V),
      func.jacrev(func.grad(wave))(V),
      autograd.functional.hessian(wave, V),
    ].map(plain);
    for (const hessian of hessians) expectClose(hessian, hessians[0], 'hessian');
  });

  it('give the products of vectors with Jacobians as matrix products do', () => {
    const f = (v: Tensor): Tensor => v.sin().mul(v.sum());
    const jacobian = func.jacrev(f)(V);
    const [, vjpFn] = func.vjp(f, [V]);
    expectClose(plain(vjpFn(W)[0]), plain(W.matmul(jacobian)), 'vjp');
    expectClose(plain(func.jvp(f, [V], [W])[1]), plain(jacobian.matmul(W)), 'jvp');
    const hessian = func.hessian(wave)(V);
    expectClose(plain(autograd.functional.vhp(wave, V, W)[1]), plain(W.matmul(hessian)), 'vhp');
    expectClose(plain(autograd.functional.hvp(wave, V, W)[1]), plain(hessian.matmul(W)), 'hvp');
  });

  it('give per-sample gradients whose sum is the gradient of the sum', () => {
    const samples = vmap(
      func.grad((w: Tensor, x: Tensor) => w.mul(x).tanh().sum()),
      { inDims: [null, 0] },
    )(V, X);
    const whole = func.grad((w: Tensor) => w.mul(X).tanh().sum())(V);
    expectClose(plain(samples.sum([0])), plain(whole), 'sum');
  });

  it('refuse arguments that are no array of them', () => {
    const double = (x: Tensor): Tensor => x.mul(2);
    const refuses = (run: () => unknown, message: RegExp): void => {
      expect(run).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
    };
    for (const given of [V, null, 3, 'ab', { length: 1, 0: V }, new Set([V])] as never[]) {
      refuses(
        () => func.vjp(double, given),
        /^vjp: primals must be an array with an item for each argument of fn, got /,
      );
      refuses(() => func.jvp(double, given, [V]), /^jvp: primals must be an array/);
      refuses(() => func.jvp(double, [V], given), /^jvp: tangents must be an array/);
    }
    const holed: [Tensor] = new Array<Tensor>(1) as never;
    refuses(() => func.vjp(double, holed), /^func\.vjp: only Tensors can be differentiated by, got undefined/);
    refuses(() => func.jvp(double, [V], holed), /^func\.jvp: expected .* to have Tensors only, got undefined/);
    refuses(() => func.jvp(double, holed, [V]), /^func\.jvp: expected .* to have Tensors only, got undefined/);
  });
});
