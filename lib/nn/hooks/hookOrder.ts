/**
 * Hooks in the order in which they run; who walks them sees those that were there when the walk began. To add one or to take one
 * away costs the same however many there are.
 */
export class HookOrder<Entry> implements Iterable<Entry> {
  /** Those put before all others, the last one first. */
  private readonly prepended = new Set<Entry>();
  private readonly appended: Set<Entry>;
  /** What walks see until the hooks change. */
  private walked: readonly Entry[] | null = null;

  constructor(entries: Iterable<Entry> = []) {
    this.appended = new Set(entries);
  }

  get size(): number {
    return this.prepended.size + this.appended.size;
  }

  add(entry: Entry, prepend: boolean): void {
    (prepend ? this.prepended : this.appended).add(entry);
    this.walked = null;
  }

  /** Takes a hook away; nothing happens when it is gone already. */
  remove(entry: Entry): void {
    if (this.prepended.delete(entry) || this.appended.delete(entry)) this.walked = null;
  }

  [Symbol.iterator](): Iterator<Entry> {
    this.walked ??= [...[...this.prepended].reverse(), ...this.appended];
    return this.walked.values();
  }
}
