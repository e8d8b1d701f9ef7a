import type { TrainingConfig } from '../../config/trainingConfig.js';
import { DataLoader, DistributedSampler, Subset } from '../../data/index.js';
import { drawsIn } from '../../data/loading/draws.js';
import type { LoaderState } from '../../data/loading/loaderState.js';
import { getRngState, keep, type Tensor } from '../../tensor/index.js';
import type { RunState } from '../checkpoints/checkpoint.js';
import type { Ranks } from '../ranks.js';
import type { ExperimentData } from '../runs/experiment.js';
import { EpochShare } from './epochShare.js';
import { loadingOf, type Loading } from './loading.js';
import type { Feed, Placement } from './placement.js';

interface Parts {
  training: TrainingConfig;
  data: ExperimentData;
  ranks: Ranks;
  state: RunState;
  placement: Placement;
}

/** The batches to train on: of the epoch that `state` names, from where it stands on. */
export class EpochBatches {
  readonly #parts: Parts;
  readonly #sampler: DistributedSampler;
  readonly #loader: DataLoader<unknown, unknown>;
  #share: EpochShare;
  #feed: Feed | undefined;
  /** The random state before the pass that is under way, or that a checkpoint stands in. */
  #drawnBefore: Tensor | undefined;

  constructor(parts: Parts) {
    const { data, training, ranks, state } = parts;
    this.#parts = parts;
    this.#sampler = new DistributedSampler(data.splits.train.length, {
      numReplicas: ranks.worldSize,
      rank: ranks.rank,
      seed: training.seed,
      shuffle: training.overfitBatches === null,
    });
    this.#loader = this.#loaderOf(loadingOf(training));
    this.#share = new EpochShare(state, training);
  }

  /** How many the epoch has. */
  get length(): number {
    return this.#share.batches;
  }

  /** The samples of the next one on this rank. */
  get nextSamples(): number {
    return this.#share.samplesOf(this.#parts.state.batch);
  }

  /** What is loaded at the moment; undefined between passes. */
  get feed(): Feed | undefined {
    return this.#feed;
  }

  /** The random state that the samples of the pass draw from. */
  get drawnBefore(): Tensor | undefined {
    return this.#drawnBefore;
  }

  /** Takes what a checkpoint has of the pass that it stands in. */
  resume(drawnBefore: Tensor | undefined): void {
    const { state, training } = this.#parts;
    this.#drawnBefore = drawnBefore;
    this.#share = new EpochShare(state, training, state);
  }

  /** Goes on with the pass, or begins one. */
  begin(): Feed {
    this.#feed ??= this.#begin();
    return this.#feed;
  }

  #begin(): Feed {
    const { state, placement, training } = this.#parts;
    this.#sampler.setEpoch(state.epoch);
    this.#share = new EpochShare(state, training, state);
    if (state.batch === 0 || this.#drawnBefore === undefined) this.#drawnBefore = keep(getRngState());
    if (state.batch > 0) this.#loader.loadStateDict(this.#loaderState(this.#drawnBefore));
    return placement.feed(this.#loader.soon());
  }

  /** That of the loader in a pass that stands where the run does. */
  #loaderState(drawnBefore: Tensor): LoaderState {
    const { state, ranks, data } = this.#parts;
    const { epoch, batch: batches, taken } = state;
    const progress = { batches, samples: Math.floor(taken / ranks.worldSize), taken, epoch, early: [] };
    const pass = { begunWith: drawsIn(drawnBefore), progress, position: null };
    return { version: 1, size: data.splits.train.length, generator: null, samplers: [], pass };
  }

  /** All of the epoch once more, beside the pass; whoever takes them closes them. */
  again(): Feed {
    const { placement, training, state } = this.#parts;
    this.#sampler.setEpoch(state.epoch);
    // By a loader of its own: workers make the batches of one pass at a time.
    return placement.feed(this.#loaderOf(loadingOf(training, false)).soon());
  }

  /** Ends the pass. */
  end(): void {
    this.#feed?.close();
    this.#feed = undefined;
  }

  /** Ends what makes batches. */
  async close(): Promise<void> {
    this.end();
    await this.#loader.close();
  }

  #loaderOf(loading: Loading): DataLoader<unknown, unknown> {
    const { data, training } = this.#parts;
    const train = new Subset(data.trainSamples, data.splits.train);
    return new DataLoader<unknown, unknown>(train, { ...loading, batchSize: training.batchSize, sampler: this.#sampler }); // prettier-ignore
  }
}
