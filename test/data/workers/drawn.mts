// Datasets that workers of a DataLoader import.
import { rand, tensor, type data, type Tensor } from 'aiforge';
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
