import { tensor } from '../../tensor/index.js';
import type { Ranks } from '../ranks.js';

/** How often ranks ask each other. */
const intervalMs = 500;

/**
 * Whether the run was asked to stop. Ranks must stop at the same batch, or the others would wait for this one's gradients for
 * ever: they ask each other at the same batches, about twice a second by rank 0's clock, and at each one that takes longer.
 */
export class Agreement {
  #untilNext = 1;
  #since = performance.now();
  #batches = 0;

  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly ranks: Pick<Ranks, 'rank' | 'worldSize' | 'sum'>,
  ) {}

  /** To be called by every rank after each batch. */
  async shouldStop(): Promise<boolean> {
    const aborted = this.signal?.aborted ?? false;
    if (this.ranks.worldSize === 1) return aborted;
    ++this.#batches;
    if (--this.#untilNext > 0) return false;
    return this.#ask(aborted);
  }

  /** Asks at once, where a phase ends. */
  async decide(): Promise<boolean> {
    const aborted = this.signal?.aborted ?? false;
    return this.ranks.worldSize === 1 ? aborted : this.#ask(aborted);
  }

  async #ask(aborted: boolean): Promise<boolean> {
    const pause = this.ranks.rank === 0 ? this.#pause() : 0;
    const [stops, next] = (await this.ranks.sum(tensor([Number(aborted), pause]))).tolist() as [number, number];
    this.#untilNext = Math.max(1, next);
    this.#since = performance.now();
    this.#batches = 0;
    return stops > 0;
  }

  #pause(): number {
    const each = (performance.now() - this.#since) / Math.max(1, this.#batches);
    return Math.max(1, Math.min(100, Math.floor(intervalMs / each)));
  }
}
