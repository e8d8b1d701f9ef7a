/** A send or a receive that was begun, as Python's `Work`. */
export class Work<T = void> {
  readonly #ended: Promise<T>;
  #isCompleted = false;

  /** @internal */
  constructor(ended: Promise<T>) {
    this.#ended = ended;
    // Who waits is told why it failed; nobody has to.
    ended
      .finally(() => {
        this.#isCompleted = true;
      })
      .catch(() => undefined);
  }

  /** Resolves when it is done: a receive with the rank that sent. Rejects with `DISTRIBUTED_FAILED` when it fails. */
  wait(): Promise<T> {
    return this.#ended;
  }

  /** Whether it is done, or has failed. */
  isCompleted(): boolean {
    return this.#isCompleted;
  }
}
