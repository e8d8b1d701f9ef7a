import { expect } from 'chai';
import { ConcatDataset, DataLoader, StackDataset, Subset, TensorDataset, type Dataset } from '#lib/data/index.js';
import { AiforgeError } from '#lib/errors.js';
import { arange, tensor, type Tensor } from '#lib/tensor/index.js';

/** Numbers from `first` on, which notes what it is asked for. */
class Numbers implements Dataset<number> {
  readonly asked: (readonly number[])[] = [];

  constructor(
    readonly first: number,
    readonly length: number,
  ) {}

  get(index: number): number {
    return this.first + index;
  }

  getBatch(indices: readonly number[]): number[] {
    this.asked.push(indices);
    return indices.map((index) => this.get(index));
  }
}

const refused = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    expect((error as AiforgeError).code).to.equal('INVALID_ARGUMENT');
    return (error as AiforgeError).message;
  }
  return expect.fail('it should have been refused');
};

describe('ConcatDataset', () => {
  it('has the samples of each dataset in turn, empty ones and arrays included', () => {
    const all = new ConcatDataset<number>([new Numbers(10, 3), [], [7], new Numbers(20, 2)]);
    expect(all.length).to.equal(6);
    expect(all.cumulativeSizes).to.deep.equal([3, 3, 4, 6]);
    expect(Array.from({ length: 6 }, (_, i) => all.get(i))).to.deep.equal([10, 11, 12, 7, 20, 21]);
  });

  it('asks each dataset once for a batch, and keeps the order', () => {
    const [first, second] = [new Numbers(10, 3), new Numbers(20, 3)];
    const loader = new DataLoader<number, Tensor>(new ConcatDataset([first, second]), {
      batchSize: 4,
      sampler: { length: 5, [Symbol.iterator]: () => [5, 0, 3, 0, 2][Symbol.iterator]() },
    });
    expect(Array.from(loader, (batch) => batch.tolist())).to.deep.equal([[22, 10, 20, 10], [12]]);
    expect(first.asked).to.deep.equal([[0, 0], [2]]);
    expect(second.asked).to.deep.equal([[2, 0]]);
  });

  it('gives rows of tensors as one dataset of all rows would', () => {
    const whole = arange(12).view([6, 2]);
    const parts = [new TensorDataset(whole.narrow(0, 0, 4)), new TensorDataset(whole.narrow(0, 4, 2))];
    const rows = Array.from(new DataLoader(new ConcatDataset(parts), { batchSize: 3 }), ([x]) => x!.tolist());
    expect(rows).to.deep.equal([whole.narrow(0, 0, 3).tolist(), whole.narrow(0, 3, 3).tolist()]);
  });

  it('refuses what it has no sample of, and what is no dataset', () => {
    const all = new ConcatDataset<number>([new Numbers(0, 2), [5]]);
    for (const index of [-1, 3, 0.5, NaN])
      expect(refused(() => all.get(index))).to.include('expected a whole number, 0 … 2');
    expect(refused(() => new ConcatDataset([]))).to.include('an array of datasets, one or more, got []');
    expect(refused(() => new ConcatDataset([[1], tensor([1]) as never]))).to.include('datasets');
    const short: Dataset<number> = { length: 2, get: () => 0, getBatch: () => [] };
    expect(refused(() => new ConcatDataset([short]).getBatch([0]))).to.include('getBatch returned an array of 0');
  });
});

describe('StackDataset', () => {
  it('has the samples of all datasets side by side, in a list or by name', () => {
    const list = new StackDataset([new Numbers(10, 2), ['a', 'b']]);
    expect([list.get(0), list.get(1)]).to.deep.equal([
      [10, 'a'],
      [11, 'b'],
    ]);
    const named = new StackDataset({ number: new Numbers(10, 2), text: ['a', 'b'] });
    const sample: { number: number; text: string } = named.get(1);
    expect(sample).to.deep.equal({ number: 11, text: 'b' });
    const [batch] = new DataLoader(named, { batchSize: 2 });
    expect([batch!.number.tolist(), batch!.text]).to.deep.equal([
      [10, 11],
      ['a', 'b'],
    ]);
  });

  it('asks each dataset once for a batch, beneath a subset too', () => {
    const numbers = new Numbers(10, 4);
    const stacked = new StackDataset([numbers, [1, 2, 3, 4]]);
    const loader = new DataLoader(new Subset(stacked, [3, 1]), { batchSize: 2 });
    expect(Array.from(loader, (columns) => columns.map((x) => x.tolist()))).to.deep.equal([
      [
        [13, 11],
        [4, 2],
      ],
    ]);
    expect(numbers.asked).to.deep.equal([[3, 1]]);
  });

  it('refuses datasets of different lengths, none, and what is none', () => {
    expect(refused(() => new StackDataset({ x: [1, 2], y: [1] }))).to.include('x has 2, y has 1');
    expect(refused(() => new StackDataset([]))).to.include('expected a dataset or more');
    expect(refused(() => new StackDataset([[1], 5 as never]))).to.include('as 1, got 5');
    expect(refused(() => new StackDataset(tensor([1]) as never))).to.include('an array or an object of datasets');
    expect(refused(() => new StackDataset([[1, 2]]).get(2))).to.include('index 2 is outside the samples');
  });
});
