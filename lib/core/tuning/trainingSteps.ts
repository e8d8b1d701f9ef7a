import { setImmediate } from 'node:timers/promises';

import { DataLoader, DistributedSampler, Subset } from '../../data/index.js';
import { scope, type Tensor } from '../../tensor/index.js';
import type { Held } from '../../tensor/memory/held.js';
import { called } from '../plugins/calls.js';
import { singleProcess } from '../ranks.js';
import { AccumulationWindow } from '../training/optimization/accumulation.js';
import { limited } from '../training/limits.js';
import { logging } from '../training/measuring/logbook.js';
import { Placement, type Feed } from '../training/placement.js';
import { Precision } from '../training/optimization/precision.js';
import { readStep } from '../training/measuring/stepOutput.js';
import type { PreparedExperiment } from './preparedExperiment.js';

interface Source {
  batch: Held<unknown>;
  samples: number;
  index: number;
}

/** Steps of the optimizer as a run does them, one epoch after the other, without a schedule and without anything recorded. */
export class TrainingSteps {
  readonly #experiment: PreparedExperiment;
  readonly #precision: Precision;
  readonly #window: AccumulationWindow;
  readonly #sources: Iterator<Source, void>;
  readonly #feed: Feed;
  #current: Source | undefined;

  /** With `isFull` only batches of the whole size are taken; there must be one. */
  constructor(experiment: PreparedExperiment, batchSize: number, isFull = false) {
    const { model, device, config } = experiment;
    const { pinMemory, precision } = config.training;
    this.#experiment = experiment;
    this.#precision = new Precision(precision, device);
    this.#window = new AccumulationWindow(batchSize, singleProcess);
    this.#sources = sources(experiment, batchSize, isFull);
    this.#feed = new Placement(model, device, device !== 'cpu' && (pinMemory ?? true)).feed(this.#batches());
    for (const parameter of model.parameters()) parameter.grad = null;
    model.train();
  }

  /** Does a step; resolves to the mean loss of its batches, null where none of them counted. */
  async step(): Promise<number | null> {
    const { model, optimizer, config } = this.#experiment;
    const { training } = config;
    for (let i = 0; i < training.accumulationSteps; ++i) {
      await this.#feed.ready();
      scope(() => this.#backward(training.accumulationSteps));
    }
    const loss = this.#window.readLoss();
    if (await this.#window.close(() => model.parameters()))
      this.#precision.step(optimizer, () => model.parameters(), training);
    else optimizer.zeroGrad();
    // Signals, and whoever waits for the event loop, get their turn.
    await setImmediate();
    return loss;
  }

  close(): void {
    this.#feed.close();
  }

  #backward(batches: number): void {
    const { model } = this.#experiment;
    const batch = this.#feed.next();
    const { samples, index } = this.#current!;
    const step = () => called('trainingStep', () => model.trainingStep(batch as Record<string, Tensor>, index));
    const given = this.#precision.run(() => logging(model, step));
    const read = readStep(given, 'trainingStep', batch, samples, model);
    this.#precision.backward(this.#window.add(read, batches, () => model.parameters()));
  }

  *#batches(): Generator<Held<unknown>, void> {
    for (;;) {
      const { value } = this.#sources.next();
      this.#current = value as Source;
      yield this.#current.batch;
    }
  }
}

function* sources({ data, config }: PreparedExperiment, batchSize: number, isFull: boolean): Generator<Source, void> {
  const { seed, overfitBatches, limitTrainBatches } = config.training;
  const train = new Subset(data.samples, data.splits.train);
  const order = { numReplicas: 1, rank: 0, seed, shuffle: overfitBatches === null };
  const sampler = new DistributedSampler(train.length, order);
  const loader = new DataLoader<unknown, unknown>(train, { batchSize, sampler, dropLast: isFull });
  // A batch that is looked for is one of the experiment with that size, and there is one of it in any case.
  const most = isFull ? loader.length : limited(limitTrainBatches, loader.length);
  for (let epoch = 0; ; ++epoch) {
    sampler.setEpoch(epoch);
    const batches = loader.soon();
    for (let index = 0; index < most; ++index) {
      const samples = Math.min(batchSize, train.length - index * batchSize);
      yield { batch: batches.next().value!, samples, index };
    }
  }
}
