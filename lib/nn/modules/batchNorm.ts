import { AiforgeError } from '../../errors.js';
import { size } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkBatch, checkBatchEps } from '../functional/normChecks.js';
import * as operators from '../operators.js';
import { NormBase, normOptions, type NormOptions } from './normBase.js';
import { checkInput, refuseSurplus } from '../checks.js';

export type BatchNormLayerOptions = NormOptions;

const batchNormTakes = signature({ numFeatures: size }, normOptions);

/** What the batch norms share; their dimensions differ. */
export abstract class BatchNorm extends NormBase {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    batchNormTakes.check(new.target.name, arguments);
    super(numFeatures, options);
  }

  /** Throws for an input of other dimensions than the layer is for. */
  protected abstract checkInput(input: Tensor): void;

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput(this.constructor.name, input);
    this.checkInput(input);
    const { training } = this;
    const factor = this.averageFactor();
    const usesRunning = !training || this.trackRunningStats;
    const runningMean = usesRunning ? this.runningMean : null;
    const runningVar = usesRunning ? this.runningVar : null;
    const usesBatch = training || (this.runningMean === null && this.runningVar === null);
    return this.normalize(input, runningMean, runningVar, usesBatch, factor);
  }

  protected normalize(
    input: Tensor,
    runningMean: Tensor | null,
    runningVar: Tensor | null,
    usesBatch: boolean,
    factor: number,
  ): Tensor {
    const { weight, bias, eps } = this;
    if (usesBatch && this.mayLackValues(input)) checkBatch(input.shape);
    if (!(eps > 0)) checkBatchEps(eps, usesBatch);
    return operators.batchNorm(input, weight, bias, runningMean, runningVar, usesBatch, factor, eps);
  }

  // Quicker than reading the shape: a batch with one value a channel has as many values as channels. How many those are is
  // known where there are tensors that LibTorch compares the input with, unless a lazy layer got them from a state dict.
  private mayLackValues(input: Tensor): boolean {
    const { numFeatures } = this;
    const isFree = this.weight === null && !this.trackRunningStats;
    return numFeatures === 0 || isFree || input.numel() <= numFeatures;
  }

  /** Counts the batch, and says how much of its statistics goes into the running ones. */
  protected averageFactor(): number {
    const { momentum } = this;
    if (!this.training || !this.trackRunningStats) return momentum ?? 0;
    const counter = this.numBatchesTracked;
    if (counter === null) return momentum ?? 0;
    operators.increment_(counter);
    return momentum ?? 1 / Number(counter.item());
  }
}

export function checkDims(layer: string, input: Tensor, expected: readonly number[]): void {
  if (expected.includes(input.dim())) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${layer}: expected an input of ${expected.join(' or ')} dimensions, got [${input.shape.join(', ')}].`,
  );
}

/**
 * Normalises each channel over the batch and the positions:
 * `(x - mean) / sqrt(variance + eps) * weight + bias`, from [N, C] or [N, C, L] to the same shape. Training uses the
 * batch's own mean and (biased) variance and keeps running ones, with the unbiased variance, for evaluation:
 * `running = (1 - momentum) * running + momentum * new`. As `torch.nn.BatchNorm1d`.
 *
 * Throws `INVALID_ARGUMENT` for another number of dimensions, and in training for a single value per channel.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.BatchNorm1d(3);
 * norm.forward(randn([8, 3])).shape; // [8, 3]
 * norm.eval().forward(randn([1, 3, 5])).shape; // [1, 3, 5]
 */
export class BatchNorm1d extends BatchNorm {
  protected override checkInput(input: Tensor): void {
    const dims = input.dim();
    if (dims !== 2 && dims !== 3) checkDims('BatchNorm1d', input, [2, 3]);
  }
}

/**
 * `BatchNorm1d` for images: each channel is normalised over the batch and the positions, from [N, C, H, W] to the same
 * shape. As `torch.nn.BatchNorm2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.BatchNorm2d(3, { momentum: null });
 * norm.forward(randn([2, 3, 4, 4])).shape; // [2, 3, 4, 4]
 * Object.keys(norm.stateDict()); // ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
 */
export class BatchNorm2d extends BatchNorm {
  protected override checkInput(input: Tensor): void {
    if (input.dim() !== 4) checkDims('BatchNorm2d', input, [4]);
  }
}

/**
 * `BatchNorm1d` for volumes, from [N, C, D, H, W] to the same shape. As `torch.nn.BatchNorm3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.BatchNorm3d(2, { affine: false }).forward(randn([2, 2, 3, 4, 4])).shape; // [2, 2, 3, 4, 4]
 */
export class BatchNorm3d extends BatchNorm {
  protected override checkInput(input: Tensor): void {
    if (input.dim() !== 5) checkDims('BatchNorm3d', input, [5]);
  }
}
