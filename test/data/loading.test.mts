import { inspect } from 'node:util';

import { expect } from 'chai';
import {
  DataLoader,
  defaultCollate,
  filter,
  randomSplit,
  SequentialSampler,
  Subset,
  TensorDataset,
  type BatchSampler,
  type Dataset,
} from '#lib/data/index.js';
import { arange, memory, ones, tensor, zeros, type Tensor } from '#lib/tensor/index.js';

describe('a batchSampler that gives no lists of indices', () => {
  for (const given of [1, '01', null, undefined, new Set([0]), tensor([0, 1]), Promise.resolve([0])]) {
    it(`is refused: ${inspect(given)}`, async () => {
      const batchSampler = { length: 1, *[Symbol.iterator]() { yield given as never; } }; // prettier-ignore
      const loader = () => new DataLoader([1, 2], { batchSampler });
      expect(() => [...loader()])
        .to.throw(/its batchSampler gave/)
        .with.property('code', 'INVALID_ARGUMENT');
      const first = await loader()[Symbol.asyncIterator]().next().catch((error: unknown) => error); // prettier-ignore
      expect(first).to.have.property('code', 'INVALID_ARGUMENT');
    });
  }
});

describe('samples of which nothing can be asked', () => {
  it('are refused, revoked proxies as well, and the promises of a filter', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const refused = /cannot be put together/;
    expect(() => [...new DataLoader([proxy, proxy], { batchSize: 2 })]).to.throw(refused);
    const rejecting = () => Promise.reject(new Error('late'));
    expect(() => filter([1], rejecting as never)).to.throw(/are promises/);
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('defaultCollate', () => {
  it('stacks tensors and typed arrays', () => {
    const made = defaultCollate([tensor([1.5, 2]), tensor([3.5, 4])]);
    expect([made.shape, made.dtype]).to.deep.equal([[2, 2], 'float32']);
    const rows = defaultCollate([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    expect(rows.tolist()).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
  });

  it('makes tensors of numbers, bigints and booleans, as PyTorch', () => {
    expect(defaultCollate([1, 2]).dtype).to.equal('int64');
    expect(defaultCollate([1.5, 2]).dtype).to.equal('float64');
    expect(defaultCollate([1e300, 2]).tolist()).to.deep.equal([1e300, 2]);
    expect(defaultCollate([1n, 2n]).dtype).to.equal('int64');
    for (const [mixed, dtype, list] of [
      [[5, true], 'int64', [5, 1]],
      [[false, 5], 'int64', [0, 5]],
      [[5, 2n ** 60n + 1n], 'int64', [5, 2n ** 60n + 1n]],
      [[1.5, true], 'float64', [1.5, 1]],
    ] as const) {
      const made = defaultCollate<number | bigint | boolean>(mixed);
      expect([made.dtype, made.tolist()]).to.deep.equal([dtype, list]);
    }
    expect(defaultCollate([true, false]).tolist()).to.deep.equal([true, false]);
  });

  it('goes into objects and lists, and leaves strings', () => {
    const batch = defaultCollate([
      { x: [tensor([1.5]), 2], name: 'a' },
      { x: [tensor([2.5]), 3], name: 'b' },
    ]);
    expect(batch.name).to.deep.equal(['a', 'b']);
    const [first, second] = batch.x as unknown as [Tensor, Tensor];
    expect([first.tolist(), second.tolist()]).to.deep.equal([
      [[1.5], [2.5]],
      [2, 3],
    ]);
  });

  it('refuses what cannot be put together', () => {
    expect(() => defaultCollate([null])).to.throw(/found null/);
    expect(() => defaultCollate([undefined])).to.throw(/found undefined/);
    expect(() => defaultCollate([[1], [1, 2]])).to.throw(/different lengths/);
    expect(() => defaultCollate([ones([2]), ones([3])])).to.throw(/sample 0 is float32\[2\], sample 1 float32\[3\]/);
    expect(() => defaultCollate([1, 'x' as never])).to.throw(/found 'x' as sample 1, where sample 0 is 1/);
  });

  it('names the sample and the field that do not fit', () => {
    const x = ones([2]);
    const fields = [{ x, label: 1 }, { x, label: 2 }, { x }] as { x: Tensor; label: number }[];
    expect(() => defaultCollate(fields)).to.throw(/found undefined as label of sample 2, where label of sample 0 is 1/);
    expect(() => defaultCollate([{ x, label: undefined }])).to.throw(/found undefined as label of sample 0/);
    expect(() => defaultCollate([{ at: [1, 2] }, { at: [1, undefined as never] }])).to.throw(/as at\[1\] of sample 1/);
    expect(() => defaultCollate([{ x }, { x, extra: 1 }])).to.throw(/sample 1 has a field 'extra', sample 0 has none/);
    expect(() => defaultCollate([{ x }, x as never])).to.throw(/found float32\[2\] as sample 1/);
  });

  it('names the sample and the field of tensors that cannot be stacked', () => {
    const samples = [{ a: ones([2]) }, { a: ones([2]) }, { a: ones([3]) }];
    expect(() => defaultCollate(samples))
      .to.throw(/a of sample 0 is float32\[2\], a of sample 2 float32\[3\]/)
      .with.property('code', 'INVALID_ARGUMENT');
    expect(() => defaultCollate([[Float32Array.of(1)], [Float32Array.of(1, 2)]])).to.throw(/\[0\] of sample 1/);
  });

  class Point {
    x = 1;
  }
  for (const value of [
    new Date(0),
    new Map([['a', 1]]),
    new Set([1]),
    new ArrayBuffer(4),
    new DataView(new ArrayBuffer(4)),
    new Error('x'),
    /x/,
    new Point(),
    () => 1,
    Symbol('x'),
  ]) {
    it(`refuses ${inspect(value).split('\n')[0]}, which would lose what is in it`, () => {
      for (const sample of [value, { field: value }]) {
        expect(() => defaultCollate([sample, sample]))
          .to.throw(/found .* as (field of )?sample 0, which cannot be put together/)
          .with.property('code', 'INVALID_ARGUMENT');
      }
    });
  }

  it('takes objects without a prototype', () => {
    const sample = Object.assign(Object.create(null) as { x: number }, { x: 1 });
    expect(defaultCollate([sample, sample]).x.tolist()).to.deep.equal([1, 1]);
  });

  it('takes an array of samples, and nothing else', () => {
    for (const samples of [undefined, 5, 'ab', ones([2]), new Set([1]), [], {}]) {
      expect(() => defaultCollate(samples as never[]))
        .to.throw(/samples must be (given|an array of samples, one or more)/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
  });

  it('tells why a promise was rejected', async () => {
    let error: Error | undefined;
    try {
      defaultCollate([Promise.reject(new RangeError('no row 0'))]);
    } catch (thrown) {
      error = thrown as Error;
    }
    await Promise.resolve();
    expect(error!.message).to.match(/sample 0 is a Promise.*It was rejected: RangeError: no row 0/);
    expect(error!.cause).to.be.instanceOf(RangeError);
  });

  it('says how to take samples that come later', () => {
    const message = /sample 0 is a Promise, expected a value; await it/;
    expect(() => defaultCollate([Promise.resolve(1)])).to.throw(message);
    const source: Dataset<unknown> = { length: 2, get: (i) => Promise.resolve(ones([i + 1])) };
    expect(() => [...new DataLoader(source)]).to.throw(/get\(0\) returned a Promise.*`for await`/);
    expect(() => defaultCollate([{ x: Promise.resolve(1) }])).to.throw(/x of sample 0 is a Promise/);
  });
});

describe('datasets', () => {
  it('give the rows of tensors', () => {
    const dataset = new TensorDataset(tensor([[1.5], [2.5]]), tensor([7, 8]));
    expect(dataset.length).to.equal(2);
    expect(dataset.get(1).map((t) => t.tolist())).to.deep.equal([[2.5], 8]);
    expect(() => dataset.get(2)).to.throw(/out of range/);
    expect(() => new TensorDataset()).to.throw(/tensors of one length/);
    expect(() => new TensorDataset(ones([2]), ones([3]))).to.throw(/lengths \[2, 3\]/);
  });

  it('give a subset', () => {
    const part = new Subset({ length: 5, get: (i: number) => i * 10 }, [4, 0]);
    expect([part.length, part.get(0), part.get(1)]).to.deep.equal([2, 40, 0]);
    expect(() => part.get(2)).to.throw(/index 2 is outside the samples, expected a whole number, 0 … 1/);
    expect(() => part.get(-1)).to.throw(/index -1/);
  });

  it('refuse indices that there is no sample of', () => {
    const invalid = { code: 'INVALID_ARGUMENT' };
    for (const index of [0.5, '0', null, undefined, Number.NaN, 0n]) {
      expect(() => new Subset([1, 2, 3], [0, 1]).get(index as number))
        .to.throw(/index .* is outside the samples, expected a whole number, 0 … 1/)
        .that.includes(invalid);
    }
    expect(() => new Subset([1, 2, 3], [9]).get(0))
      .to.throw(/Subset: its dataset: index 9 is outside the samples, expected a whole number, 0 … 2/)
      .that.includes(invalid);
    expect(() => new Subset([], [0]).get(0)).to.throw(/there are no samples/);
    expect(() => new Subset({ length: 3, get: (i: number) => i }, [3]).get(0)).to.throw(/index 3 is outside/);
  });

  it('are split by fractions wherever they add up to 1, as in PyTorch', () => {
    const seven = [1, 2, 3, 4, 5, 6, 7];
    const sizes = (lengths: number[]) => randomSplit(seven, lengths).map(({ length }) => length);
    expect(sizes([1])).to.deep.equal([7]);
    expect(sizes([1, 0])).to.deep.equal([7, 0]);
    expect(sizes([0.5, 0.5])).to.deep.equal([4, 3]);
    expect(sizes([4, 3])).to.deep.equal([4, 3]);
    expect(() => randomSplit(seven, [3.5, 3.5]))
      .to.throw(/a part of 3\.5 samples in \[3\.5, 3\.5\], expected whole numbers/)
      .with.property('code', 'INVALID_ARGUMENT');
  });

  it('are split without loss, and refuse other totals', () => {
    const dataset = { length: 11, get: (i: number) => i };
    const parts = randomSplit(dataset, [0.5, 0.5]);
    expect(parts.map((part) => part.length)).to.deep.equal([6, 5]);
    expect(parts.flatMap((part) => part.indices).sort((a, b) => a - b)).to.deep.equal([...new SequentialSampler(11)]);
    expect(() => randomSplit(dataset, [5, 5])).to.throw(/add up to 10, expected the dataset's 11/);
    expect(() => randomSplit(dataset, [0.5, 0.4])).to.throw(/add up to 0.9/);
  });
});

describe('arrays', () => {
  it('are datasets, as lists are in Python', () => {
    const rows = [ones([2]), zeros([2]), ones([2])];
    expect(Array.from(new DataLoader(rows, { batchSize: 2 }), (batch) => batch.shape)).to.deep.equal([
      [2, 2],
      [1, 2],
    ]);
    expect(Array.from(new DataLoader([1, 2, 3]), (batch) => batch.tolist())).to.deep.equal([[1], [2], [3]]);
    expect(new Subset(['a', 'b'], [1]).get(0)).to.equal('b');
    expect(randomSplit([1, 2, 3], [2, 1]).map(({ length }) => length)).to.deep.equal([2, 1]);
  });

  it('are what other things are not', () => {
    const make = (source: unknown) => () => new DataLoader(source as Dataset<number>);
    expect(make(ones([3]))).to.throw(/dataset must be a dataset.* or an array; of a Tensor make a TensorDataset/);
    for (const wrong of [{}, 'rows', new Map(), { length: 3 }, null]) expect(make(wrong)).to.throw(/must be a dataset/);
    expect(() => new TensorDataset([ones([2])] as never)).to.throw(/tensors, one by one, got \[float32\[2\]\]/);
    expect(() => new TensorDataset(tensor(1))).to.throw(/with rows, got int64\[\]/);
  });
});

describe('DataLoader', () => {
  const dataset = new TensorDataset(arange(10).to('float32').view(10, 1), arange(10));

  it('gives batches of every column, the last not full', () => {
    const loader = new DataLoader(dataset, { batchSize: 4 });
    expect(loader.length).to.equal(3);
    const shapes = Array.from(loader, ([x, y]) => [x!.shape, y!.tolist()]);
    expect(shapes).to.deep.equal([
      [
        [4, 1],
        [0, 1, 2, 3],
      ],
      [
        [4, 1],
        [4, 5, 6, 7],
      ],
      [
        [2, 1],
        [8, 9],
      ],
    ]);
    expect(new DataLoader(dataset, { batchSize: 4, dropLast: true }).length).to.equal(2);
  });

  it('goes on from a batch without loading those before it', () => {
    const loaded: number[] = [];
    const source: Dataset<number> = { length: 6, get: (i) => (loaded.push(i), i) };
    const rest = Array.from(new DataLoader<number, Tensor>(source, { batchSize: 2 }).batches(2), (batch) =>
      batch.tolist(),
    );
    expect(rest).to.deep.equal([[4, 5]]);
    expect(loaded).to.deep.equal([4, 5]);
  });

  it('goes on from a batch of very many', () => {
    const many = { length: 20_000, get: (i: number) => i };
    const rest = [...new DataLoader<number, number>(many, { collate: ([sample]) => sample! }).batches(1)];
    expect([rest.length, rest.at(-1)]).to.deep.equal([19_999, 19_999]);
  });

  it('takes a sampler or shuffle, and a collate function', () => {
    const sampler = { length: 2, [Symbol.iterator]: () => [9, 1][Symbol.iterator]() };
    const collate = (rows: Tensor[][]) => rows.map(([, y]) => y!.item());
    expect([...new DataLoader(dataset, { batchSize: 2, sampler, collate })]).to.deep.equal([[9, 1]]);
    expect(() => new DataLoader(dataset, { sampler, shuffle: true })).to.throw(/either a sampler or shuffle/);
  });

  for (const index of [99, -1, 0.5, '1', null]) {
    it(`refuses a sampler that gives ${index}, of a dataset and of an array`, () => {
      const sampler = { length: 1, [Symbol.iterator]: () => [index as number][Symbol.iterator]() };
      const sources: Dataset[] = [dataset, { length: 3, get: () => 1 }];
      for (const source of [...sources, [1, 2, 3]]) {
        expect(() => [...new DataLoader<unknown>(source, { sampler })])
          .to.throw(/DataLoader, from its sampler: index .* is outside the samples, expected a whole number, 0 … /)
          .with.property('code', 'INVALID_ARGUMENT');
      }
    });
  }

  it('begins at a batch that there is, or at the end', () => {
    const loader = new DataLoader(dataset, { batchSize: 4 });
    for (const first of [1.5, '1', -1, Number.NaN, null, 4, 99]) {
      expect(() => loader.batches(first as number), String(first))
        .to.throw(/first (must be a whole number, 0 or more|is \d+, and there are 3 batches)/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
    expect([...loader.batches(3)]).to.deep.equal([]);
  });

  it('has what it was made with, which cannot be set afterwards', () => {
    const loader = new DataLoader(dataset, { batchSize: 4, dropLast: true });
    expect(loader).to.include({ dataset, batchSize: 4, dropLast: true });
    expect(loader.sampler).to.equal((loader.batchSampler as BatchSampler).sampler);
    for (const name of [
      'batchSize',
      'dropLast',
      'sampler',
      'dataset',
      'batchSampler',
      'shuffle',
      'collate',
      'signal',
      'timeoutMs',
    ]) {
      expect(() => Object.assign(loader, { [name]: 3 }))
        .to.throw(new RegExp(`${name} cannot be set afterwards; make a new DataLoader`))
        .with.property('code', 'INVALID_ARGUMENT');
    }
    expect(loader.batchSize).to.equal(4);
  });

  it('keeps nothing but the batches', () => {
    const before = memory.stats().tensors;
    const kept = [...new DataLoader(dataset, { batchSize: 5 })];
    expect(memory.stats().tensors).to.be.at.most(before + 4);
    expect(kept[1]![1]!.tolist()).to.deep.equal([5, 6, 7, 8, 9]);
  });

  it('passes a dataset’s error on', () => {
    const failing: Dataset<Tensor> = {
      length: 2,
      get: (i) => {
        if (i === 1) throw new RangeError('row 1 is broken');
        return zeros([1]);
      },
    };
    expect(() => [...new DataLoader(failing, { batchSize: 2 })]).to.throw(RangeError, 'row 1 is broken');
  });
});
