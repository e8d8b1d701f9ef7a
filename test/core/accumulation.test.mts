import {
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
import path from 'node:path';

import { temporaryFolder } from '../support/project.mjs';
import { experiment, failureOf, runIn } from './lab.mjs';

type Batch = Record<'x' | 'mask', Tensor>;

/** How the steps report their weight. */
let reports: 'nothing' | 'tokens' | 'sometimes' = 'nothing';
let masks: number[][] = [];

class Model extends BaseModel<object, Batch> {
  w = new nn.Parameter(tensor([0.25, -0.5]));

  forward(x: Tensor): Tensor {
    return x.mul(this.w).sum(-1).square();
  }

  /** The mean over the tokens that are not masked. */
  trainingStep({ x, mask }: Batch, batchIdx: number): StepOutput {
    const tokens = mask.sum();
    const loss = this.forward(x).mul(mask).sum().div(tokens);
    const isWeighted = reports === 'tokens' || (reports === 'sometimes' && batchIdx === 0);
    return isWeighted ? { loss, weight: tokens } : { loss };
  }

  validationStep(batch: Batch, batchIdx: number): StepOutput {
    return this.trainingStep(batch, batchIdx);
  }
}

/** Samples of three tokens in two dimensions. */
class Dataset extends BaseDataset<Batch> {
  get length(): number {
    return masks.length;
  }

  get(index: number): Batch {
    const at = (token: number) => [Math.sin(index * 3 + token), Math.cos(index + 5 * token)];
    return { x: tensor([at(0), at(1), at(2)]), mask: tensor(masks[index]!, { dtype: 'float32' }) };
  }

  loadData(): void {
    // It is there already.
  }

  override splits() {
    return { train: masks.map((_, i) => i), val: [], test: [] };
  }
}

registerPlugin({ name: 'weighted', Model, Dataset });

describe('accumulating gradients', () => {
  const folder = temporaryFolder('accumulation');
  const training = { epochs: 1, learningRate: 0.125, optimizerName: 'SGD', earlyStoppingMonitor: 'train_loss' };
  const rest = { modelPlugin: 'weighted', datasetPlugin: 'weighted' };
  let runs = 0;

  const run = (batchSize: number, accumulationSteps: number) =>
    runIn(path.join(folder, String(++runs)), experiment({ ...training, batchSize, accumulationSteps }, rest));

  async function weightsAfter(batchSize: number, accumulationSteps: number): Promise<number[]> {
    const { runDirectory } = await run(batchSize, accumulationSteps);
    return loadSafetensors(path.join(runDirectory, 'last.safetensors')).tensors['model.w']!.tolist<number[]>();
  }

  function expectClose(found: number[], expected: number[]): void {
    found.forEach((value, i) => expect(value).to.be.closeTo(expected[i]!, 1e-6));
  }

  it('gives what one batch of the same samples gives, the short last window and the short last batch included', async () => {
    reports = 'nothing';
    // Means over the tokens of a batch are means over its samples, as each has as many.
    masks = Array.from({ length: 14 }, () => [1, 1, 1]);
    const expected = await weightsAfter(8, 1);
    for (const batchSize of [1, 2, 4]) expectClose(await weightsAfter(batchSize, 8 / batchSize), expected);
    expectClose(await weightsAfter(3, 5), await weightsAfter(15, 1));
  });

  it('counts each token once where the steps say how many they have, and batches without any not at all', async () => {
    reports = 'tokens';
    masks = [
      [1, 1, 1],
      [1, 0, 0],
      [0, 0, 0],
      [1, 1, 0],
      [0, 1, 0],
      [1, 1, 1],
      [0, 0, 1],
      [1, 0, 1],
    ];
    const expected = await weightsAfter(8, 1);
    for (const batchSize of [1, 2, 3, 4]) {
      expectClose(await weightsAfter(batchSize, Math.ceil(8 / batchSize)), expected);
    }
    reports = 'nothing';
    const [unweighted] = await weightsAfter(2, 4);
    expect(unweighted).not.to.be.closeTo(expected[0]!, 1e-4);
  });

  it('takes no step from a window in which nothing counts', async () => {
    reports = 'tokens';
    masks = Array.from({ length: 4 }, () => [0, 0, 0]);
    const failure = await failureOf(run(1, 4));
    expect(failure.message).to.match(
      /Nothing counted in epoch 1, .* weight 0 for every batch\. Look at the weights, or at the data that they come from\.$/,
    );
  });

  it('refuses steps that report a weight for some batches only', async () => {
    reports = 'sometimes';
    masks = Array.from({ length: 4 }, () => [1, 1, 1]);
    const failure = await failureOf(run(1, 4));
    expect(failure).to.include({ code: 'PLUGIN_INVALID' });
    expect(failure.message).to.match(/weight for some batches/);
  });
});
