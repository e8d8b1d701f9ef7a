import { expect } from 'chai';
import { autograd, grad, noGrad, scope, tensor, type Tensor } from 'aiforge';

const { hessian, hvp, jacobian, jvp, vhp, vjp } = autograd.functional;

const f64 = (values: number | number[]): Tensor => tensor(values, { dtype: 'float64' });
const x = f64([0.5, 2]);
const y = f64([3, 0.25]);

function refuses(run: () => unknown, message: RegExp): void {
  expect(run).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
}

describe('autograd.functional', () => {
  it('gives results of the form of the inputs and the outputs', () => {
    const one = (a: Tensor): Tensor => a.mul(a);
    const sum = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum();
    const both = (a: Tensor, b: Tensor): Tensor[] => [a.mul(b), a.sum()];
    expect(jacobian(one, x).shape).to.deep.equal([2, 2]);
    expect(jacobian(both, [x, y]).map((row) => row.map((block) => block.shape))).to.deep.equal([
      [
        [2, 2],
        [2, 2],
      ],
      [[2], [2]],
    ]);
    expect(jacobian(sum, [x, y]).map((block) => block.tolist())).to.deep.equal([y.tolist(), x.tolist()]);
    expect(jacobian((a: Tensor) => [a.sum(), a], x).map((block) => block.shape)).to.deep.equal([[2], [2, 2]]);
    expect(hessian((a: Tensor) => a.pow(3).sum(), x).tolist()).to.deep.equal([
      [3, 0],
      [0, 12],
    ]);
    expect(hessian(sum, [x, y])[0]![1]!.tolist()).to.deep.equal([
      [1, 0],
      [0, 1],
    ]);
    expect(vjp(both, [x, y], [y, f64(1)])[1].map((product) => product.shape)).to.deep.equal([[2], [2]]);
    expect(jvp(both, [x, y], [y, x])[1].map((product) => product.shape)).to.deep.equal([[2], []]);
    expect(vhp((a: Tensor) => a.pow(3).sum(), x, y)[1].tolist()).to.deep.equal([9, 3]);
    expect(hvp((a: Tensor) => a.pow(3).sum(), x, y)[1].tolist()).to.deep.equal([9, 3]);
  });

  it('takes v for 1 where there is one element', () => {
    const three = f64([3]);
    const square = (a: Tensor): Tensor => a.mul(a).sum();
    expect(vjp(square, three)[1].tolist()).to.deep.equal([6]);
    expect(jvp(square, three)[1].item()).to.equal(6);
    expect(vhp(square, three)[1].tolist()).to.deep.equal([2]);
    expect(hvp(square, three)[1].tolist()).to.deep.equal([2]);
    refuses(() => vjp((a: Tensor) => a, x), /v can be left out only/);
    refuses(() => jvp((a: Tensor) => a, x), /v can be left out only/);
  });

  it('records its work only when asked', () => {
    const leaf = f64([0.5, -2]).requiresGrad_();
    const cube = (a: Tensor): Tensor => a.pow(3);
    expect(jacobian(cube, leaf).requiresGrad).to.equal(false);
    const recorded = jacobian(cube, leaf, { createGraph: true });
    expect(grad(recorded.sum(), leaf)[0]!.tolist()).to.deep.equal([3, -12]);
    const vectorized = jacobian(cube, leaf, { createGraph: true, vectorize: true });
    expect(grad(vectorized.sum(), leaf)[0]!.tolist()).to.deep.equal([3, -12]);
    const [output, product] = vjp(cube, leaf, y, { createGraph: true });
    expect([output.requiresGrad, product.requiresGrad]).to.deep.equal([true, true]);
    expect(grad(jvp(cube, leaf, y, { createGraph: true })[1].sum(), leaf)[0]!.tolist()).to.deep.equal([9, -3]);
    expect(leaf.grad).to.equal(null);
    expect(x.requiresGrad).to.equal(false);
  });

  it('computes without gradients outside, too', () => {
    expect(noGrad(() => jacobian((a: Tensor) => a.pow(2), x)).tolist()).to.deep.equal([
      [1, 0],
      [0, 4],
    ]);
    expect(noGrad(() => hvp((a: Tensor) => a.pow(3).sum(), x, y))[1].tolist()).to.deep.equal([9, 3]);
  });

  it('gives zeros for what does not depend on an input, unless strict', () => {
    const first = (a: Tensor, _: Tensor): Tensor => a.mul(2);
    expect(jacobian(first, [x, y])[1]!.tolist()).to.deep.equal([
      [0, 0],
      [0, 0],
    ]);
    expect(jacobian(first, [x, y], { vectorize: true })[1]!.tolist()).to.deep.equal([
      [0, 0],
      [0, 0],
    ]);
    expect(vjp(first, [x, y], x)[1][1]!.tolist()).to.deep.equal([0, 0]);
    expect(hessian((a: Tensor) => a.sum(), x).tolist()).to.deep.equal([
      [0, 0],
      [0, 0],
    ]);
    const strict = { strict: true };
    refuses(() => jacobian(first, [x, y], strict), /output 0 does not depend on input 1/);
    refuses(() => jacobian((a: Tensor) => a.detach(), x, strict), /output 0 does not depend on the inputs/);
    refuses(() => vjp(first, [x, y], x, strict), /does not depend on input 1/);
    refuses(() => jvp(first, [x, y], [x, y], strict), /does not depend on input 1/);
    refuses(() => hessian((a: Tensor) => a.sum(), x, strict), /Jacobian by input 0 does not depend/);
    refuses(() => vhp((a: Tensor) => a.sum(), x, y, strict), /Jacobian by input 0 does not depend/);
    refuses(() => hvp((a: Tensor) => a.sum(), x, y, strict), /Jacobian by input 0 does not depend/);
    refuses(() => jacobian(first, [x, y], { strict: true, createGraph: true }), /with createGraph/);
  });

  it('says what does not fit', () => {
    const same = (a: Tensor): Tensor => a;
    refuses(() => jacobian(same, 3 as unknown as Tensor), /inputs must be a Tensor/);
    refuses(() => jacobian(() => 3 as unknown as Tensor, x), /what the function returns must be a Tensor/);
    refuses(() => jacobian(same, [x, 3 as unknown as Tensor]), /at index 1 is 3/);
    refuses(() => jacobian(same, x, { strategy: 'forward-mode' }), /needs vectorize/);
    refuses(() => jacobian(same, x, { strategy: 'forward-mode', createGraph: true }), /neither createGraph nor strict/);
    refuses(() => jacobian(same, x, { strategy: 'sideways' as 'forward-mode' }), /'sideways'/);
    refuses(() => jacobian(same, x, { strict: true, vectorize: true }), /cannot be used together/);
    refuses(() => hessian(same, x), /single element, got the size \[2\]/);
    refuses(() => hessian((a: Tensor) => [a.sum()] as unknown as Tensor, x), /single Tensor/);
    refuses(() => vhp(same, x, y), /single element/);
    refuses(() => vjp(same, x, [x, y]), /v must have 1 Tensors/);
    refuses(() => vjp(same, x, f64([1])), /v\[0\] must have the size \[2\], got \[1\]/);
  });

  it('returns results through a scope', () => {
    const [first, second] = scope(() => {
      const product = hvp((a: Tensor) => a.pow(3).sum(), x, y);
      return [jacobian((a: Tensor) => a.sin(), x), product[1]];
    });
    expect(first.isDisposed).to.equal(false);
    expect(second.tolist()).to.deep.equal([9, 3]);
  });
});
