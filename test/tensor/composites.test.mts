import {
  arange,
  atleast1d,
  atleast2d,
  atleast3d,
  blockDiag,
  broadcastShapes,
  broadcastTensors,
  cartesianProd,
  cdist,
  chainMatmul,
  combinations,
  einsum,
  eye,
  finfo,
  full,
  hannWindow,
  hstack,
  iinfo,
  isTensor,
  istft,
  kthvalue,
  lu,
  median,
  meshgrid,
  mode,
  norm,
  numel,
  split,
  stft,
  tensor,
  tensordot,
  tensorSplit,
  testing,
  topk,
  unique,
  uniqueConsecutive,
  unravelIndex,
  viewAsReal,
  type DType,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { reference } from '../support/reference.mjs';

interface Plain {
  dtype: DType;
  shape: number[];
  data: number;
}

type Recorded = Record<string, Plain | Plain[]>;

const fixture = JSON.parse(readFileSync(path.resolve('test/fixtures/composites.json'), 'utf8')) as {
  results: Recorded;
};

const x = arange(12, { dtype: 'float64' }).view(3, 4).div(7);
const y = arange(12, { dtype: 'float64' }).view(4, 3).div(5).sub(1);
const v = tensor([3, 1, 3, 2, 1, 1]);
const pair = v.narrow(0, 0, 2);
const signal = arange(64, { dtype: 'float64' }).div(3).sin();
const window = hannWindow(16, { dtype: 'float64' });
const complex = { returnComplex: true, window };

const cases: Record<string, () => Tensor | Tensor[]> = {
  einsum: () => einsum('ij,jk->ik', x, y),
  'einsum list': () => einsum('ij,ij->i', [x, x]),
  'einsum subscripts': () => einsum(x, [0, 1], y, [1, 2], [2, 0]),
  'einsum ellipsis': () => einsum('...j,...j', x, x),
  'einsum three': () => einsum('ij,jk,kl->il', x, y, x),
  meshgrid: () => meshgrid(v, pair),
  'meshgrid xy': () => meshgrid([v, pair], { indexing: 'xy' }),
  broadcast_tensors: () => broadcastTensors(x, x.select(0, 0)),
  broadcast_shapes: () => tensor(broadcastShapes([2, 1], [3], 1)),
  block_diag: () => blockDiag(x, y.select(0, 0), tensor(2, { dtype: 'float64' })),
  cartesian_prod: () => cartesianProd(pair, v.narrow(0, 1, 3)),
  chain_matmul: () => chainMatmul([x, y, x]),
  atleast_1d: () => atleast1d(tensor(1), v),
  atleast_2d: () => atleast2d(v),
  atleast_3d: () => atleast3d([v, x]),
  norm: () => norm(x),
  'norm fro dims': () => norm(x, { dim: [0, 1], keepdim: true }),
  'norm nuc': () => x.norm('nuc'),
  'norm 1': () => x.norm(1, 1),
  'norm inf': () => norm(x, Infinity, { dim: 0, keepdim: true }),
  'norm dtype': () => x.float().norm({ dtype: 'float64' }),
  'norm sparse': () => norm(eye(3, { dtype: 'float64' }).toSparse()),
  unique: () => unique(v),
  'unique all': () => v.unique({ returnInverse: true, returnCounts: true }),
  'unique counts': () => unique(v, { returnCounts: true }),
  'unique dim': () => unique(v.view(3, 2).sort(1)[0], { dim: 0, returnInverse: true }),
  unique_consecutive: () => uniqueConsecutive(v, { returnInverse: true, returnCounts: true }),
  tensordot: () => tensordot(x, y, { dims: 1 }),
  'tensordot lists': () => tensordot(x, x, { dims: [[0, 1], [0, 1]] }), // prettier-ignore
  'tensordot 0': () => tensordot(x.select(0, 0), y.select(0, 0), 0),
  cdist: () => cdist(x, x.add(1), { p: 1 }),
  'cdist mode': () => cdist(x, y.t(), { computeMode: 'use_mm_for_euclid_dist' }),
  lu: () => lu(x.narrow(1, 0, 3).add(eye(3)), { getInfos: true }),
  unravel_index: () => unravelIndex(tensor([5, 0, 23]), [2, 3, 4]),
  stft: () => viewAsReal(stft(signal, 16, complex)),
  'stft plain': () => viewAsReal(signal.stft(16, 8, 12, window.narrow(0, 0, 12), false, 'constant', true, false, true)),
  istft: () => istft(stft(signal, 16, complex), 16, { window }),
  split: () => x.split(3, 1),
  'split sizes': () => split(x, [1, 3], { dim: 1 }),
  chunk: () => x.chunk(3, { dim: 1 }),
  tensor_split: () => tensorSplit(x, [1, 3], 1),
  combinations: () => combinations(v.narrow(0, 0, 3), 2, true),
  topk: () => topk(x, 2, { dim: 1, largest: false }),
  kthvalue: () => kthvalue(x, 2, { keepdim: true }),
  mode: () => mode(v.view(2, 3)),
  median: () => median(x, 0),
  hstack: () => hstack([x, x]),
  T: () => x.T,
  mT: () => x.mT,
  H: () => viewAsReal(x.add({ re: 0, im: 1 }).H.resolveConj()),
};

const fromPlain = ({ dtype, shape, data }: Plain) => tensor(data, { dtype }).reshape(shape);

describe('composites', () => {
  for (const [name, compute] of Object.entries(cases)) {
    it(`give for ${name} what Python gives`, () => {
      const expected = fixture.results[name]!;
      const plain = Array.isArray(expected) ? expected.map(fromPlain) : fromPlain(expected);
      testing.assertClose(compute(), plain, { rtol: 1e-12, atol: 1e-12 });
    });
  }

  it('cover all that was recorded, which is what the Python that is installed gives', function () {
    expect(Object.keys(cases)).to.have.members(Object.keys(fixture.results));
    const live = JSON.parse(reference(this, 'composites.py')) as { results: Recorded };
    for (const [name, recorded] of Object.entries(fixture.results)) {
      const plain = (value: Plain | Plain[]) => (Array.isArray(value) ? value.map(fromPlain) : fromPlain(value));
      testing.assertClose(plain(recorded), plain(live.results[name]!), { rtol: 1e-12, atol: 1e-12 });
    }
  });

  it('name their results', () => {
    const found = unique(v, { returnInverse: true, returnCounts: true });
    expect(found.inverseIndices).to.equal(found[1]);
    expect(found.counts).to.equal(found[2]);
    const { values, indices } = topk(x, 2) as unknown as Record<string, Tensor>;
    expect([values!.shape, indices!.dtype]).to.deep.equal([[3, 2], 'int64']);
  });

  it('refuse what Python refuses', () => {
    const wrong: [() => unknown, RegExp][] = [
      [() => einsum('ij'), /at least one operand/],
      [() => einsum(x, [99, 1]), /0 … 51/],
      [() => einsum('ij', 3 as never), /expected Tensors, found 3/],
      [() => norm(x, 'x' as never), /p is a number, 'fro' or 'nuc'/],
      [() => norm(x, { q: 1 } as never), /has no option 'q'/],
      [() => norm(x, 2, { p: 1 }), /got 'p' twice/],
      [() => (x.norm as (...a: unknown[]) => unknown).call(x, 1, 2, true, 4, 5, 6), /takes at most/],
      [() => tensordot(x, x, 3), /dims is a whole number in 0 … 2/],
      [() => cdist(x, x, { computeMode: 'a' as never }), /computeMode is one of/],
      [() => broadcastShapes([2], [3]), /\[2\] and \[3\] do not broadcast/],
      [() => unravelIndex(x, [2]), /indices are integers, got float64/],
      [() => unravelIndex(v, [-1]), /not negative/],
      [() => finfo('int8'), /floating-point dtype, got 'int8'/],
      [() => iinfo('bool'), /integer dtype, got 'bool'/],
    ];
    for (const [action, reason] of wrong) expect(action).to.throw(reason);
  });
});

describe('dtypes', () => {
  it('have the limits that Python tells', () => {
    expect(finfo('float32')).to.deep.equal({
      dtype: 'float32',
      bits: 32,
      eps: 2 ** -23,
      max: 3.4028234663852886e38,
      min: -3.4028234663852886e38,
      smallestNormal: 2 ** -126,
      tiny: 2 ** -126,
      resolution: 1e-6,
    });
    expect(finfo('bfloat16')).to.include({ eps: 0.0078125, resolution: 0.01, max: 3.3895313892515355e38 });
    expect(finfo('float8_e5m2fnuz')).to.include({ eps: 0.125, resolution: 1, smallestNormal: 2 ** -15 });
    const powers = finfo('float8_e8m0fnu');
    expect(powers).to.include({ eps: 1, resolution: 1, max: 2 ** 127, min: 2 ** -127, tiny: 2 ** -127 });
    expect(finfo('complex128')).to.include({ dtype: 'float64', resolution: 1e-15 });
    expect(iinfo('int64')).to.deep.equal({ dtype: 'int64', bits: 64, max: 2n ** 63n - 1n, min: -(2n ** 63n) });
    expect(iinfo('uint8')).to.deep.equal({ dtype: 'uint8', bits: 8, max: 255, min: 0 });
    expect([isTensor(x), isTensor([1]), numel(x)]).to.deep.equal([true, false, 12]);
  });
});

describe('members of Tensor that are no operators', () => {
  it('convert to the dtype that they are named after', () => {
    const names = {
      float: 'float32',
      double: 'float64',
      half: 'float16',
      bfloat16: 'bfloat16',
      int: 'int32',
      long: 'int64',
      short: 'int16',
      char: 'int8',
      byte: 'uint8',
      bool: 'bool',
      cfloat: 'complex64',
      cdouble: 'complex128',
    } as const;
    for (const [name, dtype] of Object.entries(names)) {
      expect(v[name as keyof typeof names]().dtype, name).to.equal(dtype);
    }
    expect(v.type()).to.equal('torch.LongTensor');
    expect(v.toSparse().type()).to.equal('torch.sparse.LongTensor');
    expect(v.type('float32').type()).to.equal('torch.FloatTensor');
    expect(() => v.type('float31' as never)).to.throw('must be a dtype');
    expect(v.typeAs(x).dtype).to.equal('float64');
    expect(v.cpu().device).to.equal('cpu');
  });

  it('tell where and how elements lie', () => {
    const view = x.select(0, 1);
    expect([view.storageOffset(), view.nbytes, view.itemsize, view.nelement(), view.ndimension()]).to.deep.equal([4, 32, 8, 4, 1]); // prettier-ignore
    expect(view.dataPtr() - x.dataPtr()).to.equal(32n);
    expect([x.isCpu, x.isCuda, x.isMeta, x.isSparse, x.isQuantized, x.isNested]).to.deep.equal([true, false, false, false, false, false]); // prettier-ignore
    expect([x.toSparse().isSparse, x.toSparseCsr().isSparseCsr, x.to('meta').isMeta]).to.deep.equal([true, true, true]);
  });

  it('view real and imaginary parts, which may be assigned', () => {
    const z = full([2], { re: 1, im: 2 });
    expect([z.real.tolist(), z.imag.tolist()]).to.deep.equal([[1, 1], [2, 2]]); // prettier-ignore
    z.imag = tensor([3, 4]);
    expect(z.tolist()).to.deep.equal([{ re: 1, im: 3 }, { re: 1, im: 4 }]); // prettier-ignore
    expect(() => x.imag).to.throw('non-complex');
  });

  it('make new tensors and rewrite elements', () => {
    expect(x.newTensor([1, 2]).dtype).to.equal('float64');
    expect(x.newTensor([1], { dtype: 'int8' }).dtype).to.equal('int8');
    const doubled = v.clone();
    expect(doubled.apply_((value) => Number(value) * 2)).to.equal(doubled);
    expect(doubled.map_(v, (a, b) => Number(a) + Number(b)).tolist()).to.deep.equal(v.mul(3).tolist());
    expect(() => v.to('meta').apply_((value) => value)).to.throw('must be on the CPU');
  });
});
