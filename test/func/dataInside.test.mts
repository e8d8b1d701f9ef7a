import { expect } from 'chai';
import { arange, func, nn, ones, tensor, vmap, zeros, type Tensor } from 'aiforge';

const one = ones([3]);

/** A function of three numbers that makes tensors of data on its way. */
const functions: Record<string, { of: (y: Tensor) => Tensor; gradient: number[] }> = {
  'an array': {
    of: (y) =>
      y
        .square()
        .mul(tensor([1, 2, 3]))
        .sum(),
    gradient: [2, 4, 6],
  },
  'a typed array': {
    of: (y) =>
      y
        .square()
        .mul(tensor(Float32Array.of(1, 2, 3)))
        .sum(),
    gradient: [2, 4, 6],
  },
  'many numbers': {
    of: (y) => y.square().mul(tensor(Array.from({ length: 9000 }, () => 1)).sum()).sum(), // prettier-ignore
    gradient: [18000, 18000, 18000],
  },
  'a list of indices': { of: (y) => y.square().at([0, 1]).sum(), gradient: [2, 2, 0] },
  'a mask': { of: (y) => y.square().at([true, false, true]).sum(), gradient: [2, 0, 2] },
  'indices to put at': {
    of: (y) =>
      y
        .square()
        .set([[0, 1]], 5)
        .sum(),
    gradient: [0, 0, 2],
  },
  'a number that is read back': { of: (y) => y.square().mul(tensor(2).item<number>()).sum(), gradient: [4, 4, 4] },
  'what is changed in place': { of: (y) => tensor([1.5, 2, 3]).mul_(2).add(y.square()).sum(), gradient: [2, 2, 2] },
};

describe('data made inside a transform', () => {
  for (const [name, { of, gradient }] of Object.entries(functions)) {
    it(name, () => {
      expect(func.grad(of)(one).tolist()).to.deep.equal(gradient);
      expect(func.grad((y: Tensor) => func.grad(of)(y).sum())(one).shape).to.deep.equal([3]);
      const [, tangent] = func.jvp(of, [one], [one]);
      expect(tangent.item()).to.equal(gradient.reduce((a, b) => a + b));
      expect(func.hessian(of)(one).diagonal().tolist()).to.deep.equal(gradient);
      expect(vmap(func.grad(of))(one.expand(2, 3)).tolist()).to.deep.equal([gradient, gradient]);
    });
  }

  it('takes gradients by the transform’s own level, in place too', () => {
    const filled = (y: Tensor) =>
      zeros([3])
        .add(tensor([0, 0, 0]).float().add_(y.square()))
        .sum();
    expect(func.grad(filled)(arange(3).float()).tolist()).to.deep.equal([0, 2, 4]);
    const loss = (y: Tensor) => nn.functional.crossEntropy(y.unsqueeze(0), tensor([0]));
    expect(func.grad(loss)(one).at(0).item()).to.be.closeTo(-2 / 3, 1e-6);
  });

  it('stays a tensor afterwards', () => {
    const kept: Tensor[] = [];
    func.grad((y: Tensor) => (kept.push(tensor([1, 2])), y.sum()))(one);
    expect(kept[0]!.add(1).tolist()).to.deep.equal([2, 3]);
  });
});
