// A small plugin whose training draws random numbers and keeps statistics, and the ways in which a test runs and stops it.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import {
  BaseDataset,
  BaseModel,
  BasePreprocessor,
  Container,
  ExperimentConfig,
  Generator,
  ModelConfig,
  nn,
  Orchestrator,
  randn,
  readSettings,
  registerPlugin,
  tensor,
  type Callback,
  type OrchestratorOptions,
  type RunResult,
  type StepOutput,
  type Tensor,
} from 'aiforge';
import { z } from 'zod';

export interface Batch extends Record<string, Tensor> {
  x: Tensor;
  labels: Tensor;
}

export const Config = ModelConfig.extend({ dropout: z.number().default(0.3), classes: z.int().default(2) });

export class Model extends BaseModel<z.infer<typeof Config>, Batch> {
  body: nn.Sequential;
  head: nn.Linear;

  constructor(config: z.infer<typeof Config>) {
    super(config);
    this.body = new nn.Sequential(
      new nn.Linear(4, 8),
      new nn.BatchNorm1d(8),
      new nn.ReLU(),
      new nn.Dropout(config.dropout),
    );
    this.head = new nn.Linear(8, config.classes);
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x));
  }

  trainingStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.x);
    return { loss: this.lossFn.forward(predictions, batch.labels), predictions };
  }

  validationStep(batch: Batch): StepOutput {
    return this.trainingStep(batch);
  }
}

/** 104 points in four dimensions: 84 to train on, 10 to validate on, 10 to test on. */
export class Dataset extends BaseDataset<Batch> {
  #x = randn([104, 4], { generator: new Generator().manualSeed(7) });

  get length(): number {
    return this.#x.size(0);
  }

  get(index: number): Batch {
    const x = this.#x.at(index);
    return { x, labels: tensor(x.sum().item<number>() > 0 ? 1 : 0) };
  }

  loadData(): void {
    // It is there already.
  }
}

/** Learns nothing and leaves its items as they are. */
export class Unchanged extends BasePreprocessor<Batch, Batch> {
  fit(_items: Iterable<Batch>): void | Promise<void> {
    // Learns nothing.
  }
  transform(given: Batch): Batch {
    return given;
  }
  inverseTransform(given: Batch): Batch {
    return given;
  }
  state(): null {
    return null;
  }
  restore(): void {
    // Nothing was learnt.
  }
}

registerPlugin({ name: 'lab', Model, Dataset, Config });

/** An experiment of 3 epochs of 11 batches; the last has 4 samples. */
export function experiment(training: object = {}, rest: object = {}): ExperimentConfig {
  return ExperimentConfig.parse({
    experimentName: 'lab',
    modelPlugin: 'lab',
    datasetPlugin: 'lab',
    dataPath: 'none',
    training: {
      ...{ epochs: 3, batchSize: 8, learningRate: 0.01, numThreads: 1, earlyStoppingPatience: null },
      ...training,
      // An error is to leave nothing, as a power cut would.
      checkpoint: { onException: false, ...(training as { checkpoint?: object }).checkpoint },
    },
    ...rest,
  });
}

export function runIn(runs: string, config: ExperimentConfig, options: OrchestratorOptions = {}): Promise<RunResult> {
  const container = new Container();
  container.experimentConfig.override(config);
  return new Orchestrator(container, { settings: readSettings({ RUNS_DIR: runs }), ...options }).runExperiment();
}

/** The error that a run ends with. */
export async function failureOf(run: Promise<RunResult>): Promise<Error & { code?: string }> {
  return run.then(
    () => {
      throw new Error('the run did not fail');
    },
    (error: Error) => error,
  );
}

/** Aborts when a batch of an epoch is done, both counted from 1. */
export function abortAt(epoch: number, batch: number): Pick<OrchestratorOptions, 'signal' | 'callbacks'> {
  const controller = new AbortController();
  const callback: Callback = {
    onBatchEnd: (step) => {
      if (step.stage === 'train' && step.epoch === epoch && step.batch === batch) controller.abort();
    },
  };
  return { signal: controller.signal, callbacks: [callback] };
}

/** Ends the run by an error, which saves nothing, as a power cut would. */
export function breakAt(epoch: number, batch: number): Pick<OrchestratorOptions, 'callbacks'> {
  const callback: Callback = {
    onBatchEnd: (step) => {
      if (step.stage === 'train' && step.epoch === epoch && step.batch === batch) throw new Error('power cut');
    },
  };
  return { callbacks: [callback] };
}

export const bytesOf = (directory: string, name = 'last.safetensors'): string =>
  readFileSync(path.join(directory, name)).toString('base64');

export interface Line {
  kind: string;
  step: number;
  epoch: number;
  batch?: number;
  interval?: string;
  status?: string;
  metrics?: Record<string, number>;
  changes?: Record<string, { from: unknown; to: unknown }>;
}

export const linesOf = (directory: string): Line[] =>
  readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
