import { expect } from 'chai';
import { eye, ones, sparse, sparseCooTensor, sparseCsrTensor, tensor } from 'aiforge';

describe('sparse', () => {
  const diagonal = () => tensor([[2, 0], [0, 3]]).to('float32').toSparse(); // prettier-ignore

  it('multiplies sparse matrices by dense ones', () => {
    expect(sparse.mm(diagonal(), ones(2, 2)).tolist()).to.deep.equal([[2, 2], [3, 3]]); // prettier-ignore
    const csr = eye(2).toSparseCsr();
    expect(sparse.mm(csr, ones(2, 1), 'mean').tolist()).to.deep.equal([[1], [1]]);
    expect(sparse.mm(csr, ones(2, 1), { reduce: 'amax' }).tolist()).to.deep.equal([[1], [1]]);
    expect(sparse.addmm(ones(2, 2), diagonal(), eye(2), { beta: 10 }).tolist()).to.deep.equal([[12, 10], [10, 13]]); // prettier-ignore
  });

  it('refuses indices beyond the sizes, and pointers beyond the indices', () => {
    const at = (...values: number[]) => tensor(values, { dtype: 'int64' });
    const one = tensor([1.5]);
    const refused: [() => unknown, RegExp][] = [
      [() => sparseCooTensor(at(5).unsqueeze(0), one, [2]), /size is 2 but found index 5/],
      [() => sparseCooTensor(at(0).unsqueeze(0), one, [0]), /size is 0 but found index 0/],
      [() => sparseCooTensor(at(-1).unsqueeze(0), one, [2]), /negative index -1/],
      [() => sparseCsrTensor(at(0, 100), at(0), one, [1, 1]), /nnz/],
      [() => sparseCsrTensor(at(0, 1), at(9), one, [1, 1]), /ncols/],
    ];
    for (const [call, said] of refused) expect(call).to.throw(said);
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
