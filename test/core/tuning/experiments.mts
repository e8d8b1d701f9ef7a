// Experiments whose models have all that a training step changes, and what a finder must leave as it was.
import {
  empty,
  metrics,
  prepareExperiment,
  rand,
  registerPlugin,
  scope,
  zeros,
  type PreparedExperiment,
  type StepOutput,
  getRngState,
  Tensor,
} from 'aiforge';
import { z } from 'zod';

import { Config as LabConfig, Dataset, Model as LabModel, experiment, type Batch } from '../lab.mjs';

const Config = LabConfig.extend({
  failAt: z.int().nullable().default(null),
  largest: z.int().nullable().default(null),
});

/** It counts, remembers and measures, and fails or runs out of memory where it is told to. */
class Model extends LabModel {
  calls = 0;
  seen: number[] = [];
  accuracy = new metrics.Accuracy({ task: 'multiclass', numClasses: 2 });
  declare readonly noise: Tensor;
  readonly #limits: { failAt: number | null; largest: number | null };

  constructor(config: z.infer<typeof Config>) {
    super(config);
    this.registerBuffer('noise', zeros([4]), { persistent: false });
    this.#limits = config;
  }

  override trainingStep(batch: Batch): StepOutput {
    const { failAt, largest } = this.#limits;
    const size = batch.x.size(0);
    if (++this.calls === failAt) throw new Error('the plugin failed');
    if (largest !== null && size > largest) empty([2 ** 44]);
    this.seen.push(size);
    this.noise.copy_(rand([4]));
    const output = super.trainingStep(batch);
    this.accuracy.update(output.predictions!.detach(), batch.labels);
    return output;
  }
}

registerPlugin({ name: 'tuning-lab', Model, Dataset, Config });

/** An experiment that has been trained for some steps, so that all of its state is there. */
export async function trained(training: object = {}, model: object = {}): Promise<PreparedExperiment> {
  const config = experiment(
    { optimizerName: 'Adam', ...training },
    { modelPlugin: 'tuning-lab', datasetPlugin: 'tuning-lab', model },
  );
  const prepared = await prepareExperiment(config);
  const { optimizer } = prepared;
  const own = prepared.model as Model;
  const batch: Batch = { x: rand([8, 4]), labels: zeros([8], { dtype: 'int64' }) };
  for (let step = 0; step < 2; ++step) {
    optimizer.zeroGrad();
    scope(() => LabModel.prototype.trainingStep.call(own, batch).loss.backward());
    optimizer.step();
  }
  own.eval();
  own.calls = 0;
  own.body.train();
  return prepared;
}

/** All that a finder must leave as it was: numbers to the last bit, and which objects are there. */
export function stateOf({ model, optimizer, data }: PreparedExperiment & { data?: unknown }): object {
  const own = model as Model;
  const bytes = (value: unknown): unknown => {
    if (Tensor.isTensor(value)) return [value.dtype, value.shape, value.toString(), value.tolist()];
    if (Array.isArray(value)) return value.map(bytes);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, bytes(each)]));
  };
  return scope(() => ({
    parameters: [...model.namedParameters()].map(([name, parameter]) => [
      name,
      bytes(parameter),
      bytes(parameter.grad),
      parameter.requiresGrad,
    ]),
    buffers: [...model.namedBuffers()].map(([name, buffer]) => [name, bytes(buffer)]),
    modes: [...model.namedModules()].map(([name, module]) => [name, module.training, Object.keys(module)]),
    optimizer: bytes(optimizer.stateDict()),
    counters: [own.calls, [...own.seen], bytes(own.accuracy.stateDict())],
    random: bytes(getRngState()),
    samples: data === undefined ? null : bytes((data as { samples: { get(i: number): unknown } }).samples.get(3)),
  }));
}
