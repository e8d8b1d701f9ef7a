/** How often each number occurs: Python's `collections.Counter`, which the state of MultiStepLR has. */
export class Counter extends Map<number, number> {
  /** Counts the items of a list. */
  static of(items: Iterable<number>): Counter {
    const counts = new Counter();
    for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
    return counts;
  }

  /** The items, each as often as it occurs, in ascending order. */
  ascending(): number[] {
    const items = [...this].flatMap(([item, count]) => Array<number>(count).fill(item));
    return items.sort((a, b) => a - b);
  }
}
