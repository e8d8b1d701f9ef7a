import { expect } from 'chai';
import { manualSeed, nonzero, pcaLowrank, randn, svdLowrank, tensor, type Tensor } from 'aiforge';

const product = ([U, S, V]: [Tensor, Tensor, Tensor]) => U.mul(S).matmul(V.mH);
const largest = (x: Tensor) => x.abs().max().item();

describe('decompositions of low rank', () => {
  beforeEach(() => manualSeed(0));
  const lowRank = () => randn(7, 2).matmul(randn(2, 5));

  it('give back a matrix of low rank, tall or wide, sparse too', () => {
    const input = lowRank();
    expect(largest(product(svdLowrank(input, 3)).sub(input))).to.be.lessThan(1e-5);
    expect(largest(product(svdLowrank(input.mT, { q: 3, niter: 1 })).sub(input.mT))).to.be.lessThan(1e-5);
    expect(largest(product(svdLowrank(input.toSparse(), 3)).sub(input))).to.be.lessThan(1e-5);
  });

  it('subtract a mean, given or the own one', () => {
    const input = lowRank();
    const mean = input.mean(0, true);
    const centred = input.sub(mean);
    expect(largest(product(svdLowrank(input, { q: 3, M: mean })).sub(centred))).to.be.lessThan(1e-5);
    expect(largest(product(pcaLowrank(input, 3)).sub(centred))).to.be.lessThan(1e-5);
    expect(largest(product(pcaLowrank(input, { q: 3, center: false })).sub(input))).to.be.lessThan(1e-5);
  });

  it('refuse what they cannot do', () => {
    expect(() => pcaLowrank(lowRank(), 6)).to.throw(/q is a whole number in 0 … 5, got 6/);
    expect(() => pcaLowrank(lowRank(), { niter: -1 })).to.throw(/niter/);
    expect(() => pcaLowrank(lowRank().toSparse())).to.throw(/center: false/);
  });
});

describe('nonzero', () => {
  it('gives rows of indices, or a tensor for each dimension', () => {
    const input = tensor([[0, 1], [2, 0]]); // prettier-ignore
    expect(nonzero(input).tolist()).to.deep.equal([[0, 1], [1, 0]]); // prettier-ignore
    expect(input.nonzero({ asTuple: true }).map((index) => index.tolist())).to.deep.equal([[0, 1], [1, 0]]); // prettier-ignore
  });
});
