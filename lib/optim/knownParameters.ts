import type { Tensor } from '../tensor/tensor.js';

interface Group {
  readonly params: readonly Tensor[];
}

/** What is in the groups of an optimizer: read anew only where somebody else than the optimizer changed them. */
export class KnownParameters {
  readonly #groups: readonly Group[];
  #lists: (readonly Tensor[])[] = [];
  #known = new Set<Tensor>();

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
  }

  current(): ReadonlySet<Tensor> {
    if (!this.#isCurrent()) {
      this.#lists = this.#groups.map((group) => group.params);
      this.#known = new Set(this.#lists.flat());
    }
    return this.#known;
  }

  /** Notes a group that was just added. */
  add(params: readonly Tensor[]): void {
    this.#lists.push(params);
    for (const parameter of params) this.#known.add(parameter);
  }

  #isCurrent(): boolean {
    const groups = this.#groups;
    if (groups.length !== this.#lists.length) return false;
    let count = 0;
    for (let i = 0; i < groups.length; ++i) {
      const { params } = groups[i]!;
      if (params !== this.#lists[i]) return false;
      count += params.length;
    }
    return count === this.#known.size;
  }
}
