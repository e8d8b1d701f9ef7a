import { tensor } from '../../tensor/index.js';
import type { Ranks } from '../ranks.js';

/** How often ranks ask each other. */
const intervalMs = 500;

/** What a run is asked for from outside. */
export class RunRequests {
  #saves = 0;

  constructor(readonly signal: AbortSignal) {}

  /** Asks for a checkpoint after the batch that is under way. */
  save(): void {
    ++this.#saves;
  }

  takeSave(): boolean {
    const asked = this.#saves > 0;
    this.#saves = 0;
    return asked;
  }
}

/**
 * Whether the run was asked to stop, or for a checkpoint. Ranks must stop at the same batch, or the others would wait for this
 * one's gradients for ever: they ask each other at the same batches, about twice a second by rank 0's clock, or at each where
 * one takes longer.
 */
export class Agreement {
  #untilNext = 1;
  #since = performance.now();
  #batches = 0;
  #save = false;

  constructor(
    private readonly requests: RunRequests,
    private readonly ranks: Pick<Ranks, 'rank' | 'worldSize' | 'sum'>,
  ) {}

  /** Whether a checkpoint was asked for by the last time that ranks asked each other; once for each request. */
  takeSave(): boolean {
    if (this.ranks.worldSize === 1) return this.requests.takeSave();
    const asked = this.#save;
    this.#save = false;
    return asked;
  }

  /** To be called by every rank after each batch. */
  async shouldStop(): Promise<boolean> {
    if (this.ranks.worldSize === 1) return this.requests.signal.aborted;
    ++this.#batches;
    if (--this.#untilNext > 0) return false;
    return this.#ask();
  }

  /** Asks at once; to be called by every rank where a phase begins. */
  async decide(): Promise<boolean> {
    return this.ranks.worldSize === 1 ? this.requests.signal.aborted : this.#ask();
  }

  async #ask(): Promise<boolean> {
    const pause = this.ranks.rank === 0 ? this.#pause() : 0;
    const own = [Number(this.requests.signal.aborted), Number(this.requests.takeSave()), pause];
    const [stops, saves, next] = (await this.ranks.sum(tensor(own))).tolist<[number, number, number]>();
    this.#save ||= saves > 0;
    this.#untilNext = Math.max(1, next);
    this.#since = performance.now();
    this.#batches = 0;
    return stops > 0;
  }

  #pause(): number {
    // How long a batch of the phase takes is known after its first.
    if (this.#batches === 0) return 1;
    const each = (performance.now() - this.#since) / this.#batches;
    return Math.max(1, Math.min(100, Math.floor(intervalMs / each)));
  }
}
