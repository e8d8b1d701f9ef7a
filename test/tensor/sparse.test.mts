import { expect } from 'chai';
import { eye, ones, sparse, tensor } from 'aiforge';

describe('sparse', () => {
  const diagonal = () => tensor([[2, 0], [0, 3]]).to('float32').toSparse(); // prettier-ignore

  it('multiplies sparse matrices by dense ones', () => {
    expect(sparse.mm(diagonal(), ones(2, 2)).tolist()).to.deep.equal([[2, 2], [3, 3]]); // prettier-ignore
    const csr = eye(2).toSparseCsr();
    expect(sparse.mm(csr, ones(2, 1), 'mean').tolist()).to.deep.equal([[1], [1]]);
    expect(sparse.mm(csr, ones(2, 1), { reduce: 'amax' }).tolist()).to.deep.equal([[1], [1]]);
    expect(sparse.addmm(ones(2, 2), diagonal(), eye(2), { beta: 10 }).tolist()).to.deep.equal([[12, 10], [10, 13]]); // prettier-ignore
  });

  it('takes a product where a pattern has elements', () => {
    const sampled = sparse.sampledAddmm(eye(2).toSparseCsr(), ones(2, 3), ones(3, 2), { beta: 0 });
    expect(sampled.toDense().tolist()).to.deep.equal([[3, 0], [0, 3]]); // prettier-ignore
  });

  it('sums all elements, or over dimensions', () => {
    expect(sparse.sum(diagonal()).item()).to.equal(5);
    expect(sparse.sum(diagonal(), { dim: 0 }).toDense().tolist()).to.deep.equal([2, 3]);
    expect(sparse.sum(diagonal(), { dim: [0, 1], dtype: 'float64' }).dtype).to.equal('float64');
  });

  it('takes the softmax of the elements that there are', () => {
    expect(sparse.softmax(diagonal(), 1).toDense().tolist()).to.deep.equal([[1, 0], [0, 1]]); // prettier-ignore
    expect(sparse.logSoftmax(diagonal(), 1, { dtype: 'float64' }).toDense().tolist()).to.deep.equal([[0, 0], [0, 0]]); // prettier-ignore
  });

  it('puts diagonals into a matrix', () => {
    const made = sparse.spdiags(tensor([[1, 2]]), tensor([0]), [2, 2]);
    expect(made.toDense().tolist()).to.deep.equal([[1, 0], [0, 2]]); // prettier-ignore
  });
});
