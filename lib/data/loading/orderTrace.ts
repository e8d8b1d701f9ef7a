import { AiforgeError } from '../../errors.js';

/** A checksum of indices one after another, by FNV-1a: whether two orders begin with the same. */
export class OrderTrace {
  #sum: number;

  constructor(sum = 0x811c9dc5) {
    this.#sum = sum;
  }

  /** Gives the checksum with some more. */
  add(indices: readonly number[]): number {
    for (const index of indices) this.#sum = Math.imul(this.#sum ^ index, 0x01000193) >>> 0;
    return this.#sum;
  }
}

/**
 * An order drawn again, of which `count` items were handed out before. Throws STATE_DICT_MISMATCH where these have another checksum, or
 * where there are fewer; undefined for a checksum that nobody kept.
 */
export function* retraced<Item>(
  order: Iterable<Item>,
  count: number,
  expected: number | undefined,
  indicesOf: (item: Item) => readonly number[],
): Generator<Item, undefined, undefined> {
  const trace = new OrderTrace();
  let left = count;
  for (const item of order) {
    if (left > 0) {
      const sum = trace.add(indicesOf(item));
      if (--left === 0 && expected !== undefined && sum !== expected) throw anotherOrder(count);
    }
    yield item;
  }
  if (left > 0) throw anotherOrder(count);
}

export const anotherOrder = (count: number): AiforgeError =>
  new AiforgeError(
    'STATE_DICT_MISMATCH',
    `DataLoader: the sampler gives another order than in the pass that is to go on, of which ${count} were handed out. ` +
      'Make it of the same samples, with the same options and the same seed, as it was made for that pass.',
  );
