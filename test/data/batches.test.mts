// Batches that are made at once, of tensors and by `getBatch`, against those made sample by sample.

import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { DataLoader, defaultCollate, randomSplit, Subset, TensorDataset, type Dataset } from '#lib/data/index.js';
import { noGrad } from '#lib/autograd/index.js';
import { arange, manualSeed, rand, randint, randn, type DType, type Tensor } from '#lib/tensor/index.js';

/** Calls `get` for each sample, as any class that extends TensorDataset with a `get` of its own. */
class OneByOne extends TensorDataset {
  asked: number[] = [];

  override get(index: number): Tensor[] {
    this.asked.push(index);
    return super.get(index);
  }
}

const inOrder = (indices: readonly number[]) => ({
  length: indices.length,
  [Symbol.iterator]: () => indices[Symbol.iterator](),
});

const describeTensor = (x: Tensor): unknown => [
  x.dtype,
  x.shape,
  x.stride(),
  x.requiresGrad,
  x.gradFn === null,
  Buffer.from(x.detach().contiguous().view('uint8').toTypedArray().buffer as ArrayBuffer).toString('hex'),
];

/** The batches of a pass, and the first number that is drawn after it. */
function pass(dataset: Dataset<Tensor[]>, options: ConstructorParameters<typeof DataLoader<Tensor[]>>[1]): unknown {
  manualSeed(3);
  const batches = Array.from(new DataLoader(dataset, options), (batch) => batch.map(describeTensor));
  return [batches, rand(1).item()];
}

function expectSame(...tensors: Tensor[]): void {
  const { length } = new TensorDataset(...tensors);
  for (const options of [
    { batchSize: 4 },
    { batchSize: 4, shuffle: true, dropLast: true },
    { batchSize: 5, sampler: inOrder([length - 1, 0, 0, length - 1, 2]) },
  ]) {
    expect(pass(new TensorDataset(...tensors), options)).to.deep.equal(pass(new OneByOne(...tensors), options));
  }
}

const dtypes: DType[] = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'uint16', 'uint32', 'uint64'];
dtypes.push('float16', 'bfloat16', 'float32', 'float64', 'complex64', 'complex128', 'float8_e5m2');

describe('batches of a TensorDataset are those of its samples put together:', () => {
  for (const dtype of dtypes) {
    it(dtype, () => {
      for (const shape of [[9], [9, 3], [9, 2, 3], [9, 2, 3, 2]]) {
        expectSame(randint(0, 2, shape).to(dtype), randint(0, 2, [9]).to('int64'));
      }
    });
  }

  const five = (): Tensor => randn(9, 2, 3, 4, 5);
  const layouts: Record<string, () => Tensor> = {
    transposed: () => randn(3, 9).t(),
    expanded: () => randn(1, 3).expand(9, 3),
    'in steps': () => randn(18, 6).at('::2', '1::2'),
    permuted: () => randn(4, 9, 3).permute(1, 2, 0),
    'channels last': () => randn(9, 3, 4, 5).contiguous({ memoryFormat: 'channels_last' }),
    'channels last, in frames': () => five().permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3),
    'of five dimensions': five,
    'of frames of one pixel': () => randn(9, 2, 3, 1, 1),
    'without elements': () => randn(9, 0, 3),
    conjugated: () => randn(9, 3).to('complex64').conj(),
    negated: () => randn(9, 3).to('complex64').conj().imag,
    'with gradients': () => randn([9, 3], { requiresGrad: true }),
    'with a history': () => randn([9, 3], { requiresGrad: true }).mul(2),
    'of one column': () => arange(9),
  };
  for (const [what, make] of Object.entries(layouts)) it(what, () => expectSame(make(), arange(9)));

  it('passes gradients on', () => {
    const x = randn([6, 2], { requiresGrad: true });
    for (const [rows] of new DataLoader(new TensorDataset(x), { batchSize: 4 })) rows!.sum().backward();
    expect(x.grad!.tolist()).to.deep.equal(Array.from({ length: 6 }, () => [1, 1]));
    noGrad(() => expectSame(x));
  });

  it('follows a change of the tensors', () => {
    const x = arange(4);
    const loader = new DataLoader(new TensorDataset(x), { batchSize: 4 });
    const [first] = [...loader];
    expect(first![0]!.tolist()).to.deep.equal([0, 1, 2, 3]);
    x.mul_(2);
    const [batch] = [...loader];
    expect(batch![0]!.tolist()).to.deep.equal([0, 2, 4, 6]);
    batch![0]!.zero_();
    expect(x.tolist()).to.deep.equal([0, 2, 4, 6]);
  });

  it('of subsets, and of subsets of those', () => {
    const [x, y] = [randn(20, 3), arange(20)];
    const split = (dataset: TensorDataset) => {
      manualSeed(1);
      const [part] = randomSplit(dataset, [0.8, 0.2]);
      return new Subset(part!, [15, 3, 3, 0, 7]);
    };
    for (const options of [{ batchSize: 2 }, { batchSize: 2, shuffle: true }]) {
      expect(pass(split(new TensorDataset(x, y)), options)).to.deep.equal(pass(split(new OneByOne(x, y)), options));
    }
  });
});

describe('a dataset is asked by what its class has:', () => {
  it('get of a class that extends TensorDataset, with samples for its collate', () => {
    const dataset = new OneByOne(arange(4));
    expect([...new DataLoader(new Subset(dataset, [3, 1]))]).to.have.length(2);
    expect(dataset.asked).to.deep.equal([3, 1]);
    const own = new TensorDataset(arange(4));
    own.get = (index) => [arange(4).select(0, 3 - index)];
    expect([...new DataLoader(own, { batchSize: 4 })][0]![0]!.tolist()).to.deep.equal([3, 2, 1, 0]);
  });

  it('get of a class that extends Subset', () => {
    class Doubled extends Subset<number> {
      override get(index: number): number {
        return 2 * super.get(index);
      }
    }
    const loader = new DataLoader<number, Tensor>(new Doubled([1, 2, 3], [2, 0]), { batchSize: 2 });
    expect([...loader][0]!.tolist()).to.deep.equal([6, 2]);
  });

  it('a collate function gets the samples', () => {
    const collate = (samples: Tensor[][]) => samples.map((row) => row.map((each) => each.tolist()));
    const dataset = new TensorDataset(arange(6).view(3, 2), arange(3));
    expect([...new DataLoader(new Subset(dataset, [2, 0]), { batchSize: 2, collate })]).to.deep.equal([
      [
        [[4, 5], 2],
        [[0, 1], 0],
      ],
    ]);
    const [batch] = [...new DataLoader(dataset, { batchSize: 3, collate: defaultCollate })];
    expect((batch as Tensor[])[1]!.tolist()).to.deep.equal([0, 1, 2]);
  });

  /** Squares by `getBatch`; `get` must not be asked. */
  class Squares implements Dataset<number> {
    readonly asked: number[][] = [];
    constructor(readonly length: number) {}

    get(): number {
      throw new Error('one by one');
    }

    getBatch(indices: readonly number[]): number[] {
      this.asked.push([...indices]);
      return indices.map((index) => index ** 2);
    }
  }

  it('getBatch, once a batch, also beneath subsets', () => {
    const dataset = new Squares(10);
    const batches = (source: Dataset<number>) =>
      Array.from(new DataLoader<number, Tensor>(source, { batchSize: 2 }), (batch) => batch.tolist());
    expect(batches(new Subset(new Subset(dataset, [9, 5, 1]), [2, 0, 1]))).to.deep.equal([[1, 81], [25]]);
    expect(dataset.asked).to.deep.equal([[1, 9], [5]]);
    const collate = (samples: number[]) => samples.join();
    expect([...new DataLoader(dataset, { batchSize: 5, collate })]).to.deep.equal(['0,1,4,9,16', '25,36,49,64,81']);
  });

  it('getBatch of classes that extend TensorDataset and Subset', () => {
    class Rows extends TensorDataset {
      getBatch(indices: readonly number[]): Tensor[][] {
        return indices.map(() => [arange(2)]);
      }
    }
    const [batch] = [...new DataLoader(new Rows(arange(3)), { batchSize: 2 })];
    expect(batch!.map((each) => each.tolist())).to.deep.equal([
      [
        [0, 1],
        [0, 1],
      ],
    ]);
    class Part extends Subset<number> {
      getBatch(indices: readonly number[]): number[] {
        return [...indices];
      }
    }
    const loader = new DataLoader<number, Tensor>(new Part([7, 8, 9], [2, 1]), { batchSize: 2 });
    expect([...loader][0]!.tolist()).to.deep.equal([0, 1]);
  });
});

describe('batches are refused', () => {
  const refusal = (dataset: Dataset<unknown>, indices: readonly unknown[]) => () => [
    ...new DataLoader<unknown, unknown>(dataset, { batchSize: 2, sampler: inOrder(indices as number[]) }),
  ];
  const invalid = { code: 'INVALID_ARGUMENT' };

  for (const index of [3, -1, 0.5, '1', null, undefined, 2n, Number.NaN]) {
    it(`for index ${String(index)}`, () => {
      const tensors = new TensorDataset(arange(3));
      const all = { length: 3, get: () => 1, getBatch: () => [1, 1] };
      for (const dataset of [tensors, all, new Subset<unknown>(tensors, [0, 1, 2])]) {
        expect(refusal(dataset, [0, index]))
          .to.throw(/DataLoader, from its sampler: index .* is outside the samples, expected a whole number, 0 … 2/)
          .that.includes(invalid);
      }
    });
  }

  it('for an index that the subset has and its dataset has not', () => {
    for (const dataset of [new TensorDataset(arange(3)), { length: 3, get: () => 1, getBatch: () => [1, 1] }]) {
      expect(refusal(new Subset<unknown>(dataset, [0, 3]), [0, 1]))
        .to.throw(/Subset: its dataset: index 3 is outside the samples, expected a whole number, 0 … 2/)
        .that.includes(invalid);
    }
  });

  it('for other than a sample for each index', async () => {
    const answers: [answer: unknown, found: RegExp][] = [
      [[1], /getBatch returned an array of 1, expected an array of 2 samples, one for each index/],
      [[1, 2, 3], /getBatch returned an array of 3/],
      [undefined, /getBatch returned undefined/],
      [arange(2), /getBatch returned int64\[2\]/],
    ];
    for (const [answer, found] of answers) {
      const dataset = { length: 3, get: () => 1, getBatch: () => answer as number[] };
      expect(refusal(dataset, [0, 1]))
        .to.throw(found)
        .that.includes(invalid);
    }
    let error: Error | undefined;
    try {
      refusal({ length: 3, get: () => 1, getBatch: () => Promise.reject(new Error('no row')) }, [0, 1])();
    } catch (thrown) {
      error = thrown as Error;
    }
    await setImmediate();
    expect(error).to.include(invalid);
    expect(error!.message).to.match(/getBatch returned a Promise, .*It was rejected: Error: no row/);
    expect(() => new DataLoader({ length: 1, get: () => 1, getBatch: 5 as never })).to.throw(/must be a dataset/);
  });
});
