import { expect } from 'chai';
import { eye, ones, ops, quantizePerChannel, zeros, type Tensor } from '#lib/index.js';

const far = 10 ** 9;

/** What makes a tensor useless to whoever believes it. */
const spoilers: Record<string, (part: Tensor) => unknown> = {
  fill_: (part) => part.fill_(far),
  viewTypedArray: (part) => (part.viewTypedArray() as BigInt64Array).fill(BigInt(far)),
  resize_: (part) => part.resize_([0]),
  set_: (part) => part.set_(ones([1], { dtype: part.dtype })),
  setData: (part) => part.setData(ones([1], { dtype: part.dtype }).expand(part.shape)),
};

const csr = () => eye(500).toSparseCsr();
const coo = () => eye(500).toSparse();
const doubled = (x: Tensor) =>
  x
    .matmul(ones([500, 2]))
    .sum()
    .item();

describe('what a tensor consists of is its own', () => {
  for (const [name, spoil] of Object.entries(spoilers)) {
    it(`indices that are read: ${name}`, () => {
      for (const read of [(x: Tensor) => x.crowIndices(), (x: Tensor) => x.colIndices()]) {
        const x = csr();
        spoil(read(x));
        expect(doubled(x)).to.equal(1000);
      }
      const x = coo();
      spoil(x.indices());
      expect(x.toDense().equal(eye(500))).to.equal(true);
    });

    it(`indices that it was made of: ${name}`, () => {
      const [rows, columns, at] = [csr().crowIndices(), csr().colIndices(), coo().indices()];
      const compressed = ops.aten('sparse_csr_tensor.crow_col_value_size')(rows, columns, ones([500]), [500, 500]);
      const listed = ops.aten('sparse_coo_tensor.indices_size')(at, ones([500]), [500, 500]);
      [rows, columns, at].forEach(spoil);
      expect(doubled(compressed as Tensor)).to.equal(1000);
      expect((listed as Tensor).toDense().equal(eye(500))).to.equal(true);
    });

    it(`scales and zero points: ${name}`, () => {
      const [scales, zeroPoints] = [ones([500], { dtype: 'float64' }), zeros([500], { dtype: 'int64' })];
      const x = quantizePerChannel(ones([500, 2]), scales, zeroPoints, 0, 'qint8');
      [scales, x.qPerChannelScales()].filter(() => name !== 'viewTypedArray').forEach(spoil);
      [zeroPoints, x.qPerChannelZeroPoints()].forEach(spoil);
      expect(x.dequantize().sum().item()).to.equal(1000);
    });
  }

  it('but the elements, which can be written but not moved', () => {
    const x = csr();
    x.values().mul_(2);
    expect(doubled(x)).to.equal(2000);
    const values = ones([500]);
    const made = ops.aten('sparse_csr_tensor.crow_col_value_size')(x.crowIndices(), x.colIndices(), values, [500, 500]);
    values.mul_(3);
    expect(doubled(made as Tensor)).to.equal(3000);
    values.set_(ones([1]));
    values.resize_([0]);
    expect(doubled(made as Tensor)).to.equal(3000);
  });
});
