import { expect } from 'chai';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import {
  eye,
  load,
  ones,
  save,
  sparse,
  sparseBscTensor,
  sparseBsrTensor,
  sparseCompressedTensor,
  sparseCooTensor,
  sparseCscTensor,
  sparseCsrTensor,
  tensor,
  type Tensor,
} from 'aiforge';

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
      [() => sparseCsrTensor(at(0, 100), at(0), one, [1, 1]), /to rise from 0 to at most 1/],
      [() => sparseCsrTensor(at(0, 1), at(9), one, [1, 1]), /'plain_indices' to be 0, got 9/],
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

describe('sparse tensors of indices and values', () => {
  const layouts = { sparseCsrTensor, sparseCscTensor } as const;
  const float = (values: number[]) => tensor(values, { dtype: 'float32', requiresGrad: true });

  it('takes data, 32-bit indices, another dtype and another device', () => {
    const coo = sparseCooTensor([[0, 1], [2, 0]], [3, 4], [2, 3], { dtype: 'float64' }); // prettier-ignore
    expect([coo.dtype, coo.toDense().tolist()]).to.deep.equal(['float64', [[0, 0, 3], [4, 0, 0]]]); // prettier-ignore
    const at = tensor([[0, 1]], { dtype: 'int32' });
    expect(sparseCooTensor(at, [1, 2]).toDense().tolist()).to.deep.equal([1, 2]);
    expect(sparseCooTensor(at, [1, 2], { dtype: 'float16' }).dtype).to.equal('float16');
    expect(sparseCooTensor({ indices: at, values: [1, 2], size: [3] }).shape).to.deep.equal([3]);
    expect(sparseCooTensor(at, [1, 2], [2], { device: 'meta' }).device).to.equal('meta');
    expect(sparseCooTensor([2, 3], { dtype: 'int64' }).shape).to.deep.equal([2, 3]);
    expect(sparseCooTensor(2, 3).dtype).to.equal('float32');
    expect(sparseCooTensor([[0, 1]], [1, 2], [2], { isCoalesced: true }).isCoalesced()).to.equal(true);
    for (const make of Object.values(layouts)) {
      const made = make([0, 1, 2], [1, 0], [3, 4], [2, 2], { dtype: 'float64' });
      expect([made.dtype, made.toDense().sum().item()]).to.deep.equal(['float64', 7]);
      expect(make(tensor([0, 1, 2], { dtype: 'int32' }), [1, 0], [3, 4]).shape).to.deep.equal([2, 2]);
    }
  });

  it('gives the values their gradient', () => {
    const x = tensor([[1], [2]], { dtype: 'float32' }); // prettier-ignore
    for (const make of Object.values(layouts)) {
      const values = float([3, 4]);
      const made = make([0, 1, 2], [1, 0], values, [2, 2]);
      expect(made.requiresGrad).to.equal(true);
      made.toDense().matmul(x).sum().backward();
      expect(values.grad!.tolist()).to.have.members([1, 2]);
    }
    for (const make of [sparseBsrTensor, sparseBscTensor]) {
      const values = ones([1, 2, 2], { requiresGrad: true });
      make([0, 1], [0], values, [2, 2]).toDense().mul(3).sum().backward();
      expect(values.grad!.sum().item()).to.equal(12);
    }
    const values = float([3, 4]);
    sparseCooTensor([[0, 1]], values, [2], { dtype: 'float64' })
      .toDense()
      .mul(2)
      .sum()
      .backward();
    expect(values.grad!.tolist()).to.deep.equal([2, 2]);
    expect(sparseCsrTensor([0, 1], [0], [2.5], [1, 1], { requiresGrad: true }).isLeaf).to.equal(true);
  });

  it('refuses what does not fit', () => {
    const wrong: [() => unknown, RegExp][] = [
      [() => sparseCooTensor([[0, 1]], [1], [2]), /nnz|size|dimension/i],
      [() => sparseCooTensor('0' as never, [1]), /indices must be a Tensor or an array of numbers, got '0'/],
      [
        () => sparseCooTensor([[0]], [1], [1], { dtpye: 'float32' } as never),
        /no option 'dtpye'. Did you mean 'dtype'/,
      ],
      [() => sparseCsrTensor([0, 1], [0], [1], [1, 1], { isCoalesced: true } as never), /no option 'isCoalesced'/],
      [() => sparseCompressedTensor([0, 1], [0], [1], [1, 1], {} as never), /layout must be given/],
      [() => sparseCsrTensor([0, 1, 1], [0], [1], [1, 1]), /a pointer more than there are rows/],
      [() => sparseCsrTensor([0, 2, 1], [0], [1], [2, 1]), /to rise from 0 to at most 1/],
      [() => sparseCsrTensor([1, 1], [0], [1], [1, 1]), /the first of 'compressed_indices' to be 0|the first of/],
      [() => sparseBsrTensor([0, 1], [0], ones([1, 2, 2]), [3, 2]), /whole blocks/],
    ];
    for (const [call, said] of wrong) expect(call, String(said)).to.throw(said);
  });

  it('takes columns in any order, as products of sparse matrices have them', () => {
    const unsorted = sparseCsrTensor([0, 2], [1, 0], [1.5, 2], [1, 2]);
    expect(unsorted.clone().mul(2).toDense().tolist()).to.deep.equal([[4, 3]]);
    const x = tensor([[1, 0, 2], [0, 3, 4]], { dtype: 'float32', requiresGrad: true }); // prettier-ignore
    const other = tensor([[1, 2, 0], [0, 1, 0], [3, 0, 1]], { dtype: 'float32' }); // prettier-ignore
    const product = x.toSparseCsr().matmul(other.toSparseCsr());
    product.toDense().sum().backward();
    expect(x.grad!.tolist()).to.deep.equal([[3, 1, 4], [3, 1, 4]]); // prettier-ignore
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'sparse-')), 'product.pt');
    save(product, file);
    expect(load<Tensor>(file).toDense().tolist()).to.deep.equal(product.toDense().tolist());
  });
});
