import { constants } from 'node:os';

import { AiforgeError } from '../../errors.js';
import { unheard } from '../../promised.js';
import { tensor, type Tensor } from '../../tensor/index.js';
import type { Ranks } from '../ranks.js';
import { isError } from '../../realms.js';
import { settled } from '../settled.js';

/** What asking may cost of the time that batches take. */
const costShare = 0.01;
/** Batches get slow within a phase too, once a cache has run out or sequences get long: ranks ask each other at least this often. */
const mostBatches = 20;
/** How often it is tried at first what asking takes: the first time waits for the slowest rank, and any may be held up. */
const trials = 4;

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
 * one's gradients for ever: they ask each other at the same batches, as often as takes about a hundredth of the time by rank 0's
 * clock, and at least every 20 batches. Where asking takes 0.15 ms, batches of 15 ms and more are asked for one by one.
 */
export class Agreement {
  #untilNext = 1;
  #since: number;
  #askMs = Infinity;
  #batches = 0;
  #save = false;
  #reason: unknown;

  constructor(
    private readonly requests: RunRequests,
    private readonly ranks: Pick<Ranks, 'rank' | 'worldSize' | 'sum' | 'gather'>,
    /** The time, in ms. */
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#since = now();
  }

  /** Asks for a checkpoint, as somebody outside would. */
  askSave(): void {
    this.requests.save();
  }

  /** Whether a checkpoint was asked for by the last time that ranks asked each other; once for each request. */
  takeSave(): boolean {
    if (this.ranks.worldSize === 1) return this.requests.takeSave();
    const asked = this.#save;
    this.#save = false;
    return asked;
  }

  /** Why it stops: what this rank's signal was aborted with, or another's; an error comes before the name of a signal. */
  get reason(): unknown {
    return this.ranks.worldSize === 1 ? (this.requests.signal.reason as unknown) : this.#reason;
  }

  /** To be called by every rank after each batch. */
  shouldStop(): boolean | Promise<boolean> {
    if (this.ranks.worldSize === 1) return this.requests.signal.aborted;
    ++this.#batches;
    if (--this.#untilNext > 0) return false;
    return this.#ask();
  }

  /**
   * Waits for what this rank needs to go on; gives whether it has come. A process that trains alone does not wait once it is to stop;
   * others would wait for this one.
   */
  async hasCome(work: Promise<void>): Promise<boolean> {
    const { signal } = this.requests;
    const come = settled('Dataset.get', work).then(() => true);
    if (this.ranks.worldSize > 1) return come;
    unheard(come);
    let stop: () => void;
    const stopped = new Promise<boolean>((resolve) => {
      stop = () => resolve(false);
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return signal.aborted ? false : await Promise.race([come, stopped]);
    } finally {
      signal.removeEventListener('abort', stop!);
    }
  }

  /** Asks at once; to be called by every rank where a phase begins. */
  async decide(): Promise<boolean> {
    if (this.ranks.worldSize === 1) return this.requests.signal.aborted;
    // How long batches of the phase before took says nothing of those of this one.
    this.#batches = 0;
    return this.#ask();
  }

  async #ask(): Promise<boolean> {
    if (this.#askMs === Infinity) for (let i = 0; i < trials; ++i) await this.#sum([0, 0, 0]);
    const pause = this.ranks.rank === 0 ? this.#pause() : 0;
    const { aborted } = this.requests.signal;
    const reason: unknown = this.requests.signal.reason;
    const own = [Number(aborted), Number(this.requests.takeSave()), pause];
    const [stops, saves, next] = (await this.#sum(own)).tolist<[number, number, number]>();
    this.#save ||= saves > 0;
    if (stops > 0) this.#reason = await this.#shareReason(aborted ? reason : undefined);
    this.#untilNext = Math.max(1, next);
    this.#since = this.now();
    this.#batches = 0;
    return stops > 0;
  }

  async #sum(own: number[]): Promise<Tensor> {
    const start = this.now();
    const sums = await this.ranks.sum(tensor(own));
    // It also waits for slower ranks: the least is what asking itself takes.
    this.#askMs = Math.min(this.#askMs, this.now() - start);
    return sums;
  }

  async #shareReason(own: unknown): Promise<unknown> {
    const codes = (await this.ranks.gather(tensor([codeOf(own)]))).map((code) => code.item());
    const failed = codes.indexOf(anError);
    if (failed === -1) return own ?? nameOf(codes.find((code) => code !== 0));
    if (codes[this.ranks.rank] === anError) return own;
    return new AiforgeError(
      'DISTRIBUTED_FAILED',
      `The run was stopped, with a checkpoint, by an error of rank ${failed}. Another rank has ended: its own output says why.`,
    );
  }

  #pause(): number {
    // How long a batch of the phase takes is known after its first.
    if (this.#batches === 0) return 1;
    const each = (this.now() - this.#since) / this.#batches;
    return Math.max(1, Math.min(mostBatches, Math.ceil(this.#askMs / (costShare * each)) || 1));
  }
}

const anError = -1;

/** The reason of an abort as a number for the other ranks: that of a signal, -1 for an error, 0 for anything else. */
function codeOf(reason: unknown): number {
  if (isError(reason) && !(reason instanceof DOMException)) return anError;
  return constants.signals[reason as NodeJS.Signals] ?? 0;
}

function nameOf(signal: number | undefined): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
}
