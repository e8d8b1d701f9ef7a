/**
 * How long a reader that does not read is waited for with what ranks have printed: without end, as ranks themselves would wait, and
 * once they are asked to stop for no longer than they are.
 */
export class Patience {
  readonly #graceMs: number;
  readonly #say: (message: string) => void;
  #endsAt = Infinity;
  #hasGivenUp = false;

  constructor(graceMs: number, say: (message: string) => void) {
    this.#graceMs = graceMs;
    this.#say = say;
  }

  /** Ranks are started, again or for the first time. */
  renew(): void {
    this.#endsAt = Infinity;
  }

  /** Ranks are asked to stop. */
  limit(): void {
    this.#endsAt = Math.min(this.#endsAt, performance.now() + this.#graceMs);
  }

  /** Ranks are killed. */
  end(): void {
    this.#endsAt = Math.min(this.#endsAt, performance.now());
  }

  /** Something is left out since it was not read in time; said once. */
  giveUp(): void {
    if (!this.#hasGivenUp) this.#say('the last lines of ranks are lost, as nobody reads them');
    this.#hasGivenUp = true;
  }

  /** For how many ms it has been over; less than 0 while it lasts. */
  get overMs(): number {
    return performance.now() - this.#endsAt;
  }
}
