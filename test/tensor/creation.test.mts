import { expect } from 'chai';
import fc from 'fast-check';
import { AiforgeError } from '#lib/errors.js';
import { fromTypedArray, memory, tensor, type DType, type NestedArray, type Tensor } from '#lib/tensor/index.js';
import { collectGarbage } from '../support/garbage.mjs';

function refusal(action: () => unknown): AiforgeError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }
  throw new Error('it was not refused');
}

describe('tensor()', () => {
  // dtype as torch.tensor gives for the same literals.
  const inferred: [NestedArray, DType][] = [
    [1, 'int64'],
    [1.5, 'float32'],
    [true, 'bool'],
    [[true, 2], 'int64'],
    [[true, 2.5], 'float32'],
    [[1, 2n], 'int64'],
    [[], 'float32'],
    [[[], []], 'float32'],
    [[1, { re: 1, im: 1 }], 'complex64'],
    [[{ re: 1, im: 1 }, 1.5], 'complex64'],
    [NaN, 'float32'],
    [-0, 'float32'],
    [1e300, 'float32'],
  ];
  for (const [data, dtype] of inferred) {
    it(`infers ${dtype} for ${JSON.stringify(data, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v))}`, () => {
      expect(tensor(data).dtype).to.equal(dtype);
    });
  }

  it('takes the sizes of nested arrays', () => {
    expect(tensor([[[1], [2], [3]]]).shape).to.deep.equal([1, 3, 1]);
    expect(tensor([[], []]).shape).to.deep.equal([2, 0]);
    expect(tensor(5).shape).to.deep.equal([]);
  });

  const ragged: NestedArray[] = [
    [[1, 2], [3]],
    [[1], 2],
    [1, [2]],
    [
      [[1], [2]],
      [[1, 2], []],
    ],
    [[[]], []],
  ];
  for (const data of ragged) {
    it(`refuses the ragged ${JSON.stringify(data)}`, () => {
      const error = refusal(() => tensor(data));
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.match(/a ragged array: expected data(\[\d\])+ to be/);
    });
  }

  it('gives nested lists back', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.infiniteStream(fc.integer()), (shape, numbers) => {
        const build = (dims: number[]): NestedArray<number> =>
          dims.length === 0
            ? (numbers.next().value as number)
            : Array.from({ length: dims[0]! }, () => build(dims.slice(1)));
        const data = build(shape);
        expect(tensor(data).tolist()).to.deep.equal(data);
        expect(tensor(data).shape).to.deep.equal(shape);
      }),
    );
  });

  it('refuses what is no number', () => {
    for (const bad of ['1', null, undefined, {}, { re: 1 }, Symbol('x'), () => 1]) {
      expect(refusal(() => tensor([[1], [bad]] as never)).message).to.match(/found .* in data\[1\]\[0\]/);
      expect(refusal(() => tensor(bad as never)).message).to.match(/expected numbers, bigints, booleans/);
    }
  });

  it('refuses values that the dtype cannot hold, as PyTorch', () => {
    const bad: [NestedArray, DType][] = [
      [300, 'uint8'],
      [-129, 'int8'],
      [127.5, 'int8'],
      [-0.5, 'uint8'],
      [2 ** 63, 'int64'],
      [2n ** 63n, 'int64'],
      [-1, 'uint64'],
      [NaN, 'int32'],
      [1e20, 'int64'],
      [{ re: 1, im: 2 }, 'float32'],
      [{ re: 1, im: 2 }, 'int64'],
    ];
    for (const [data, dtype] of bad) {
      expect(refusal(() => tensor(data, { dtype })).message).to.include(`cannot be held by ${dtype}`);
    }
    expect(refusal(() => tensor(2n ** 63n)).message).to.include('9223372036854775808');
    expect(tensor(0.5, { dtype: 'uint64' }).item()).to.equal(0);
  });

  it('converts as PyTorch', () => {
    expect(tensor([1.7, -1.7], { dtype: 'int64' }).tolist()).to.deep.equal([1, -1]);
    expect(tensor([-1], { dtype: 'uint8' }).tolist()).to.deep.equal([255]);
    expect(tensor([2, 0, NaN], { dtype: 'bool' }).tolist()).to.deep.equal([true, false, true]);
    expect(tensor([2n ** 63n], { dtype: 'uint64' }).tolist()).to.deep.equal([2n ** 63n]);
    expect(tensor([1.5], { dtype: 'float16' }).tolist()).to.deep.equal([1.5]);
    expect(tensor(70000.5, { dtype: 'float16' }).item()).to.equal(Infinity);
    expect(tensor(0.1, { dtype: 'float64' }).item()).to.equal(0.1);
    expect(tensor(-9007199254740993n).item()).to.equal(-9007199254740993n);
  });

  it('makes and releases no more than the tensor itself', () => {
    collectGarbage();
    const before = memory.stats().tensors;
    const made = tensor([1.5, 2], { dtype: 'bfloat16' });
    expect(memory.stats().tensors).to.be.at.most(before + 1);
    made.dispose();
    expect(memory.stats().tensors).to.be.at.most(before);
  });

  it('takes requiresGrad, and a device', () => {
    expect(tensor(1.5, { requiresGrad: true }).requiresGrad).to.equal(true);
    expect(tensor([1, 2], { device: 'meta' }).device).to.equal('meta');
  });
});

describe('fromTypedArray()', () => {
  const arrays: [ReturnType<Tensor['toTypedArray']>, DType][] = [
    [Float32Array.of(1.5, -2), 'float32'],
    [Float64Array.of(0.1, 2), 'float64'],
    [Int8Array.of(-1, 2), 'int8'],
    [Int16Array.of(-1, 2), 'int16'],
    [Int32Array.of(-1, 2), 'int32'],
    [BigInt64Array.of(-1n, 2n ** 62n), 'int64'],
    [Uint8Array.of(1, 255), 'uint8'],
    [Uint8ClampedArray.of(1, 255), 'uint8'],
    [Buffer.from([1, 2]), 'uint8'],
    [Uint16Array.of(1, 65535), 'uint16'],
    [Uint32Array.of(1, 2 ** 32 - 1), 'uint32'],
    [BigUint64Array.of(1n, 2n ** 64n - 1n), 'uint64'],
  ];
  for (const [array, dtype] of arrays) {
    it(`copies a ${array.constructor.name} as ${dtype}`, () => {
      const made = fromTypedArray(array);
      expect(made.dtype).to.equal(dtype);
      expect([...made.toTypedArray()]).to.deep.equal([...array]);
      const first = array[0];
      array[0] = array[1] as never;
      expect(made.toTypedArray()[0]).to.equal(first);
      array[0] = first as never;
    });
  }

  it('takes part of a buffer, a subclass, and a shape', () => {
    class Own extends Float32Array {}
    expect(fromTypedArray(new Own([1, 2, 3, 4]).subarray(1, 3)).tolist()).to.deep.equal([2, 3]);
    expect(fromTypedArray(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }).tolist()).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
    expect(fromTypedArray(new Float32Array(0), { shape: [0, 3] }).shape).to.deep.equal([0, 3]);
  });

  it('shares a SharedArrayBuffer in both directions, also when only the tensor is left', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16));
    const made = fromTypedArray(shared, { shape: [2, 2] });
    shared[3] = 7;
    expect(made.tolist()).to.deep.equal([
      [0, 0],
      [0, 7],
    ]);
    made.add_(1);
    expect([...shared]).to.deep.equal([1, 1, 1, 8]);
    expect(tensor(shared).add_(5).tolist()).to.deep.equal([6, 6, 6, 13]);
    expect(shared[0], 'tensor() copies').to.equal(1);
  });

  it('takes bits as half precision and pairs as complex numbers', () => {
    expect(fromTypedArray(Uint16Array.of(0x3c00, 0xc000), { dtype: 'float16' }).tolist()).to.deep.equal([1, -2]);
    expect(fromTypedArray(Uint16Array.of(0x3f80), { dtype: 'bfloat16' }).tolist()).to.deep.equal([1]);
    expect(fromTypedArray(Float32Array.of(1, 2, 3, -4), { dtype: 'complex64' }).tolist()).to.deep.equal([
      { re: 1, im: 2 },
      { re: 3, im: -4 },
    ]);
  });

  it('converts where tensor() is given the dtype, as torch.tensor does', () => {
    expect(tensor(Uint16Array.of(1, 2), { dtype: 'float16' }).tolist()).to.deep.equal([1, 2]);
    expect(tensor(Float32Array.of(1, 2), { dtype: 'complex64' }).shape).to.deep.equal([2]);
  });

  it('makes proper booleans of any bytes', () => {
    const flags = fromTypedArray(Uint8Array.of(0, 1, 2, 255), { dtype: 'bool' });
    expect([...flags.toTypedArray()]).to.deep.equal([0, 1, 1, 1]);
    expect(flags.sum().item()).to.equal(3);
  });

  it('refuses a shape that does not fit, and what is no typed array', () => {
    for (const shape of [[3], [2, 2, 2], [-1], [2.5], [2 ** 40, 2 ** 40, 2 ** 40]]) {
      const error = refusal(() => fromTypedArray(new Float32Array(4), { shape }));
      expect(error.code).to.equal('INVALID_ARGUMENT');
    }
    for (const bad of [[1, 2], new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), null, 'x', 1]) {
      expect(refusal(() => fromTypedArray(bad as never)).message).to.include('expected a typed array');
    }
  });
});
