/** A pair of tokens that could become one, how often it is there, and in which words. */
export interface Candidate {
  first: number;
  second: number;
  count: number;
  words: Set<number>;
}

/** The more frequent goes first; of those that are as frequent, the one of the lower numbers. */
const isBefore = (a: Candidate, b: Candidate): boolean => {
  if (a.count !== b.count) return a.count > b.count;
  return a.first === b.first ? a.second < b.second : a.first < b.first;
};

/** A binary heap of candidates. */
export class MergeQueue {
  readonly #heap: Candidate[] = [];

  push(candidate: Candidate): void {
    const heap = this.#heap;
    let at = heap.push(candidate) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(candidate, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = candidate;
  }

  /** The first, which is taken away; undefined where there is none. */
  pop(): Candidate | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
