import path from 'node:path';

import {
  amp,
  BaseDataset,
  BaseModel,
  loadSafetensors,
  nn,
  registerPlugin,
  tensor,
  type StepOutput,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { reference } from '../support/reference.mjs';
import { experiment, failureOf, linesOf, runIn, type Batch } from './lab.mjs';

/** What forward passes of the model computed in. */
let dtypes: string[] = [];
let backwards: boolean[] = [];

class Model extends BaseModel<object, Batch> {
  body = new nn.Sequential(new nn.Linear(6, 16), new nn.Tanh(), new nn.Linear(16, 3));

  forward(x: Tensor): Tensor {
    return this.body.forward(x);
  }

  trainingStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.x);
    dtypes.push(predictions.dtype);
    predictions.registerHook((gradient) => {
      backwards.push(amp.isAutocastEnabled('cpu'));
      return gradient;
    });
    // Large enough for the first scales of float16 to be too large.
    return { loss: this.lossFn.forward(predictions, batch.labels).mul(8), predictions };
  }

  validationStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.x);
    dtypes.push(`validated in ${predictions.dtype}`);
    return { loss: this.lossFn.forward(predictions, batch.labels).mul(8), predictions };
  }
}

/** Numbers that are the same in every language. */
class Dataset extends BaseDataset<Batch> {
  readonly #count = 64;

  get length(): number {
    return this.#count;
  }

  get(index: number): Batch {
    const x = Array.from({ length: 6 }, (_, j) => ((index * 7 + j * 13) % 17) / 8 - 1);
    return { x: tensor(x), labels: tensor((index * 5) % 3) };
  }

  override splits() {
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    return { train: range(0, 48), val: range(48, 64), test: [] };
  }

  loadData(): void {
    // It is computed.
  }
}

registerPlugin({ name: 'scaled', Model, Dataset });
const plugins = { modelPlugin: 'scaled', datasetPlugin: 'scaled' };

interface Trained {
  steps: number[];
  rates: number[];
  validations: number[];
  weights: number[][];
  scale: number;
}

describe('training.precision, beside Python', () => {
  const folder = temporaryFolder('precision-in-python');
  beforeEach(() => {
    [dtypes, backwards] = [[], []];
  });

  const scaleOf = (directory: string): number | undefined => {
    const { scaler } = loadSafetensors(path.join(directory, 'last.safetensors')).metadata;
    return scaler === undefined ? undefined : (JSON.parse(scaler) as { scale: number } | null)?.scale;
  };

  for (const [precision, accumulationSteps] of [
    ['bfloat16', 1],
    ['bfloat16', 2],
    ['float16', 1],
    ['float16', 2],
  ] as const) {
    it(`trains in ${precision}, ${accumulationSteps} batches a step, to Python’s bits`, async function () {
      const settings = { precision, accumulationSteps, gradClipNorm: 0.5 };
      const theirs = JSON.parse(reference(this, 'precision.py', JSON.stringify(settings))) as Trained;
      const scheduler = { name: 'StepLR', stepSize: 4, gamma: 0.5, interval: 'step' };
      const { runDirectory } = await runIn(folder, experiment({ ...settings, scheduler }, plugins));
      const lines = linesOf(runDirectory).filter(({ kind }) => kind === 'metrics');
      const steps = lines.filter(({ interval }) => interval === 'step').map(({ metrics }) => metrics!);
      const { tensors } = loadSafetensors(path.join(runDirectory, 'last.safetensors'));
      const ours: Trained = {
        steps: steps.map(({ train_loss_step }) => train_loss_step!),
        rates: steps.map(({ learning_rate }) => learning_rate!),
        validations: lines.flatMap(({ interval, metrics }) => (interval === 'epoch' ? metrics!.val_loss! : [])),
        weights: ['0.weight', '0.bias', '2.weight', '2.bias'].map((name) =>
          tensors[`model.body.${name}`]!.flatten().tolist<number[]>(),
        ),
        scale: scaleOf(runDirectory) ?? 1,
      };
      expect(ours).to.deep.equal(theirs);
      const batches = 18 / accumulationSteps;
      if (precision === 'float16') expect(steps.length, 'some steps were skipped').to.be.within(1, batches - 1);
      else expect(steps).to.have.length(batches);
    });
  }

  it('computes forward passes of training and validation in it, and backward outside', async () => {
    for (const [precision, dtype] of [
      ['bfloat16', 'bfloat16'],
      ['float16', 'float16'],
      ['float32', 'float32'],
    ]) {
      [dtypes, backwards] = [[], []];
      await runIn(folder, experiment({ precision, epochs: 1 }, plugins));
      expect([...new Set(dtypes)], precision).to.have.members([dtype, `validated in ${dtype}`]);
      expect([...new Set(backwards)], precision).to.deep.equal([false]);
    }
  });

  it('keeps a loss that is no number from a scaler that would skip it for ever', async () => {
    class Broken extends Model {
      override trainingStep(batch: Batch): StepOutput {
        const step = super.trainingStep(batch);
        return { ...step, loss: step.loss.mul(Infinity) };
      }
    }
    registerPlugin({ name: 'infinite', Model: Broken, Dataset });
    const failing = { modelPlugin: 'infinite', datasetPlugin: 'scaled' };
    const failure = await failureOf(runIn(folder, experiment({ precision: 'float16' }, failing)));
    expect(failure).to.include({ code: 'TRAINING_FAILED' });
    expect(failure.message).to.match(/The loss is Infinity in epoch 1, batch 1 \(step 0\)/);
  });
});
