import { AiforgeError } from '../../../errors.js';
import { aten } from '../../../tensor/calls/aten.js';
import { tensor, type Tensor } from '../../../tensor/index.js';
import type { Ranks } from '../../ranks.js';
import { RunningSum } from '../measuring/runningSum.js';
import type { Step } from '../measuring/stepOutput.js';

const multiply = aten('_foreach_mul_.Scalar');

/**
 * The batches whose gradients make one step of the optimizer. Each sample (or each token, or whatever the steps say that they
 * count) weighs the same in it, however it is divided into batches and over ranks.
 *
 * A batch's loss is a mean. It goes into the sum times its weight over `batchSize`, which is 1 for a full batch of samples,
 * and the sum is divided by all weights when the window closes. A window of a single batch needs neither.
 */
export class AccumulationWindow {
  #weight = 0;
  #loss = new RunningSum();
  #isWeighted: boolean | undefined;
  #isScaled = false;

  constructor(
    private readonly batchSize: number,
    private readonly ranks: Pick<Ranks, 'worldSize' | 'sum'>,
    /** Whether batches may be left out: then ranks need not count as much as each other. */
    private readonly leavesOut = false,
  ) {}

  /** Takes a batch of a window of `batches`; gives what `backward` is to start from; `parameters` gives the model's, where they are needed. */
  add(step: Step, batches: number, parameters: () => Iterable<Tensor>): Tensor {
    if (this.#isWeighted !== undefined && this.#isWeighted !== step.isWeighted) {
      throw new AiforgeError(
        'PLUGIN_INVALID',
        'trainingStep returned a weight for some batches of a step of the optimizer and none for others: return one always, or never.',
      );
    }
    this.#isWeighted = step.isWeighted;
    const isUneven = step.isWeighted || this.leavesOut;
    this.#isScaled = batches > 1 || (isUneven && this.ranks.worldSize > 1) || (this.leavesOut && step.weight === 0);
    this.#weight += step.weight;
    if (step.weight > 0) this.#loss.add(step.value, step.weight);
    if (!this.#isScaled) return step.loss;
    // The mean over nothing is not a number, nor are its gradients; ranks wait for each other's all the same.
    if (step.weight === 0) return zeroOf(parameters());
    const share = step.weight / this.batchSize;
    return share === 1 ? step.loss : step.loss.mul(share);
  }

  /** Gives the mean loss of the window on this rank, also after it was closed; null where nothing counted on it. */
  get readLoss(): () => number | null {
    const [loss, weight] = [this.#loss, this.#weight];
    return () => (weight > 0 ? loss.value / weight : null);
  }

  /** Makes the sum of gradients their mean, and opens the next window. False when nothing counted: there is no mean. */
  close(parameters: () => Iterable<Tensor>): boolean | Promise<boolean> {
    const { worldSize } = this.ranks;
    // Samples are the same number on each rank, so only reported weights are asked for.
    if (worldSize === 1 || !(this.#isWeighted === true || this.leavesOut)) {
      return this.#closeWith(this.#weight * worldSize, parameters);
    }
    const weight = tensor([this.#weight], { dtype: 'float64' });
    return this.ranks.sum(weight).then((sum) => this.#closeWith(Number(sum.item()), parameters));
  }

  #closeWith(total: number, parameters: () => Iterable<Tensor>): boolean {
    if (this.#isScaled && total > 0) {
      const factor = (this.batchSize * this.ranks.worldSize) / total;
      const gradients = [...parameters()].flatMap(({ grad }) => grad ?? []);
      if (factor !== 1 && gradients.length > 0) multiply(gradients, factor);
    }
    this.restore(0, 0);
    return total > 0;
  }

  /** What a checkpoint of an open window needs, beside the gradients. */
  state(): [weight: number, loss: number] {
    return [this.#weight, this.#loss.value];
  }

  restore(weight: number, loss: number): void {
    this.#weight = weight;
    this.#loss = new RunningSum(loss);
    this.#isWeighted = undefined;
    this.#isScaled = false;
  }
}

/** A loss whose gradients are zeros. */
export function zeroOf(parameters: Iterable<Tensor>): Tensor {
  const learning = [...parameters].filter(({ requiresGrad }) => requiresGrad);
  return learning.map((parameter) => parameter.sum().mul(0)).reduce((sum, zero) => sum.add(zero));
}
