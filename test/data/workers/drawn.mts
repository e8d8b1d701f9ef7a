// Datasets that workers of a DataLoader import.
import { data, rand, tensor, type Tensor } from 'aiforge';
import { setTimeout as later } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

export interface Sample {
  index: number;
  drawn: Tensor;
}

/** Numbers drawn for each sample. */
export class Drawn {
  constructor(readonly length: number) {}

  get(index: number, { generator }: data.SampleContext): Sample {
    return { index, drawn: rand([2], { generator }) };
  }
}

/** The same, later. */
export class DrawnLater {
  constructor(readonly length: number) {}

  async get(index: number, { generator }: data.SampleContext): Promise<Sample> {
    await later((index % 3) * 2);
    return { index, drawn: rand([2], { generator }) };
  }
}

/** Does something else at one index. */
export class Odd extends Drawn {
  constructor(
    length: number,
    readonly at: number,
    readonly what: string,
  ) {
    super(length);
  }

  override get(index: number, context: data.SampleContext): Sample {
    return index === this.at ? (this.#odd(index) as Sample) : super.get(index, context);
  }

  #odd(index: number): unknown {
    switch (this.what) {
      case 'throw':
        throw new RangeError(`no row ${index}`);
      case 'exit':
        return process.exit(3);
      case 'hang':
        for (;;);
      case 'uncaught':
        setTimeout(() => {
          throw new ReferenceError('missing');
        }, 1);
        return later(1e6);
      case 'function':
        return { index, drawn: () => 1 };
      default:
        return new Promise(() => {});
    }
  }
}

export const threads = { length: 8, get: () => threadId };

export const sum = (samples: readonly Sample[]): Tensor =>
  tensor(samples.reduce((total, { index }) => total + index, 0));

export const same = <T,>(samples: T): T => samples;

/** A shard of numbers, read from a position on. */
class Shard extends data.StreamDataset<number> {
  constructor(
    readonly from: number,
    readonly to: number,
    readonly odd: number,
  ) {
    super();
  }

  open(position: data.Position = this.from): data.SampleReader<number> {
    let at = position as number;
    const { to, odd } = this;
    return {
      async next() {
        if (at === odd) throw new RangeError(`no row ${at}`);
        return Promise.resolve(at < to ? { done: false, value: at++ } : { done: true, value: undefined });
      },
      position: () => at,
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** Numbers of several shards, each with a draw. */
export const shards = (sizes: readonly number[], odd = -1): data.StreamDataset<[number, Tensor]> =>
  data.map(
    new data.ChainDataset(sizes.map((size, i) => new Shard(100 * i, 100 * i + size, odd))),
    (value, { generator }): [number, Tensor] => [value, rand([1], { generator })],
  );

export function* numbers(): Generator<number> {
  for (let i = 0; i < 9; ++i) yield i;
}

export const numbersAgain = { [Symbol.iterator]: numbers };

export const stuck = {
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    yield await new Promise<number>(() => undefined);
  },
};

const kept = tensor(3);

/** Gives the same tensor for each sample. */
export const shared: data.Dataset<Tensor> = { length: 4, get: () => kept };

/** The only sample of a batch, as it is. */
export const alone = (samples: Tensor[]): Tensor => samples[0]!;
