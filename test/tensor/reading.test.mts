import { expect } from 'chai';
import fc from 'fast-check';
import { arange, fromTypedArray, ones, tensor, zeros, type DType, type Tensor } from '#lib/tensor/index.js';

describe('reading a tensor', () => {
  it('copies with toTypedArray', () => {
    const source = tensor([1.5, 2]);
    const copy = source.toTypedArray() as Float32Array;
    copy[0] = 9;
    expect(source.tolist()).to.deep.equal([1.5, 2]);
    source.fill_(4);
    expect([...copy]).to.deep.equal([9, 2]);
  });

  it('copies row by row whatever the strides', () => {
    const source = arange(6).view(2, 3).t();
    expect(source.isContiguous()).to.equal(false);
    expect([...source.toTypedArray()].map(Number)).to.deep.equal([0, 3, 1, 4, 2, 5]);
    expect(source.tolist()).to.deep.equal([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  it('views without a copy: writes go through both ways', () => {
    const source = zeros([2, 2]);
    const view = source.viewTypedArray() as Float32Array;
    view[3] = 5;
    expect(source.tolist()).to.deep.equal([
      [0, 0],
      [0, 5],
    ]);
    source.add_(1);
    expect([...view]).to.deep.equal([1, 1, 1, 6]);
    const again = source.viewTypedArray() as Float32Array;
    again[0] = -1;
    expect(view[0]).to.equal(-1);
  });

  it('keeps viewed memory alive after the tensor', () => {
    const views: Float32Array[] = [];
    for (let i = 0; i < 50; ++i) {
      const source = ones([10_000]).mul(i);
      views.push(source.viewTypedArray() as Float32Array);
      source.dispose();
      ones([10_000]).mul(-1).dispose();
    }
    views.forEach((view, i) => expect(view.every((value) => value === i)).to.equal(true));
  });

  it('views a slice of a tensor at its own place', () => {
    const base = arange(6);
    const view = base.narrow(0, 2, 3).viewTypedArray() as BigInt64Array;
    expect([...view]).to.deep.equal([2n, 3n, 4n]);
    view[0] = 20n;
    expect(base.tolist()).to.deep.equal([0, 1, 20, 3, 4, 5]);
  });

  it('refuses to view what is not contiguous or not on the CPU', () => {
    expect(() => arange(6).view(2, 3).t().viewTypedArray()).to.throw(/only a contiguous tensor.*int64\[3, 2\]/);
    expect(() => zeros([2], { device: 'meta' }).viewTypedArray()).to.throw(/on the CPU/);
    expect(zeros([0]).viewTypedArray()).to.have.length(0);
  });

  const values: [DType, unknown][] = [
    ['float32', 1.5],
    ['float64', 0.1],
    ['float16', 0.5],
    ['bfloat16', -2],
    ['float8_e4m3fn', 1.5],
    ['int8', -3],
    ['uint8', 200],
    ['int16', -300],
    ['int32', 70000],
    ['int64', 2 ** 40],
    ['uint16', 65535],
    ['uint32', 2 ** 32 - 1],
    ['uint64', 7],
    ['bool', true],
    ['complex32', { re: 1, im: -2 }],
    ['complex64', { re: 1.5, im: -2 }],
    ['complex128', { re: 0.1, im: 0.2 }],
  ];
  for (const [dtype, value] of values) {
    it(`gives a ${dtype} back by item() and tolist()`, () => {
      const made = tensor(value as number, { dtype });
      expect(made.dtype).to.equal(dtype);
      expect(made.item()).to.deep.equal(value);
      expect(made.view(1).tolist()).to.deep.equal([value]);
    });
  }

  it('gives 64-bit integers as numbers while they are exact, else as bigints', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }), (numbers) => {
        const list = fromTypedArray(BigInt64Array.from(numbers)).tolist<(number | bigint)[]>();
        list.forEach((item, i) => {
          expect(BigInt(item)).to.equal(numbers[i]);
          expect(typeof item).to.equal(Number.isSafeInteger(Number(numbers[i])) ? 'number' : 'bigint');
        });
      }),
    );
  });

  it('refuses item() of more than one element', () => {
    expect(() => zeros([2]).item()).to.throw(/2 elements/);
  });

  it('tells shape, strides, sizes and dtypes', () => {
    const x: Tensor = zeros([2, 3, 4], { dtype: 'int16' }).transpose(0, 2);
    expect(x.shape).to.deep.equal([4, 3, 2]);
    expect(x.stride()).to.deep.equal([1, 4, 12]);
    expect([x.ndim, x.dim(), x.numel(), x.elementSize(), x.size(-1), x.size(0)]).to.deep.equal([3, 3, 24, 2, 2, 4]);
    expect(x.size()).to.deep.equal([4, 3, 2]);
    expect(() => x.size(3)).to.throw(/size\(3\): the tensor has 3 dimensions/);
    expect(x.to('float64').dtype).to.equal('float64');
    expect(x.to(zeros([1], { dtype: 'bool' })).dtype).to.equal('bool');
    expect(() => x.to('float33' as never)).to.throw(/expected a dtype, a device or a Tensor, got 'float33'/);
  });
});
