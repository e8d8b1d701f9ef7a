import { AiforgeError } from '../../errors.js';
import { size } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkInstances } from '../functional/normChecks.js';
import type { ModuleMetadata, StateDictLoading } from '../state/loadStateDict.js';
import * as operators from '../operators.js';
import { warnOnce } from '../../warnOnce.js';
import { checkDims } from './batchNorm.js';
import { NormBase, normOptions, type NormOptions } from './normBase.js';
import { checkInput, refuseSurplus } from '../checks.js';

export type InstanceNormLayerOptions = NormOptions;

const instanceNormTakes = signature({ numFeatures: size }, normOptions);

/** What the instance norms share; their dimensions differ. */
export abstract class InstanceNorm extends NormBase {
  /** How many dimensions an input without a batch has. */
  protected abstract readonly sampleDims: number;

  constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
    instanceNormTakes.check(new.target.name, arguments);
    const { affine = false, trackRunningStats = false, ...rest } = options;
    super(numFeatures, { ...rest, affine, trackRunningStats });
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput(this.constructor.name, input);
    const { shape } = input;
    const isSample = shape.length === this.sampleDims;
    if (!isSample && shape.length !== this.sampleDims + 1) {
      checkDims(this.constructor.name, input, [this.sampleDims, this.sampleDims + 1]);
    }
    const channels = shape[isSample ? 0 : 1]!;
    if (channels !== this.numFeatures) this.refuseChannels(channels);
    if (!isSample) return this.normalize(input, shape);
    return this.normalize(input.unsqueeze(0), [1, ...shape]).squeeze(0);
  }

  // Before version 1 instance norms kept statistics that they did not use.
  override loadFromStateDict(
    state: Map<string, unknown>,
    prefix: string,
    metadata: ModuleMetadata,
    loading: StateDictLoading,
  ): void {
    if (metadata.version === undefined && !this.trackRunningStats) {
      const stale = [`${prefix}running_mean`, `${prefix}running_var`].filter((key) => state.delete(key));
      if (stale.length > 0) {
        loading.problems.push(
          `${stale.join(' and ')}: ${this.constructor.name} keeps no running statistics; remove them from the state dict, or set trackRunningStats`,
        );
      }
    }
    super.loadFromStateDict(state, prefix, metadata, loading);
  }

  private normalize(input: Tensor, shape: readonly number[]): Tensor {
    const { runningMean, runningVar, weight, bias, momentum, eps } = this;
    const usesInput = this.training || !this.trackRunningStats;
    if (usesInput) checkInstances(shape);
    return operators.instanceNorm(input, weight, bias, runningMean, runningVar, usesInput, momentum ?? 0, eps);
  }

  // Without weights nothing depends on the number of channels, so PyTorch only warns.
  private refuseChannels(channels: number): void {
    const message = `${this.constructor.name}: expected ${this.numFeatures} channels (numFeatures), got ${channels}.`;
    if (this.affine) throw new AiforgeError('INVALID_ARGUMENT', message);
    warnOnce(`${message} The layer has no weights, so it goes on.`);
  }
}

/**
 * Normalises each channel of each sample over its positions: `(x - mean) / sqrt(variance + eps) * weight + bias`, from
 * [N, C, L] or [C, L] to the same shape. Weights and running statistics are off unless they are asked for. As
 * `torch.nn.InstanceNorm1d`.
 *
 * Throws `INVALID_ARGUMENT` for another number of dimensions, for other channels than the weights have, and for a single
 * position.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.InstanceNorm1d(3).forward(randn([2, 3, 5])).shape; // [2, 3, 5]
 */
export class InstanceNorm1d extends InstanceNorm {
  protected override readonly sampleDims: number = 2;
}

/**
 * `InstanceNorm1d` for images, from [N, C, H, W] or [C, H, W] to the same shape. As `torch.nn.InstanceNorm2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.InstanceNorm2d(3, { affine: true }).forward(randn([3, 4, 4])).shape; // [3, 4, 4]
 */
export class InstanceNorm2d extends InstanceNorm {
  protected override readonly sampleDims: number = 3;
}

/**
 * `InstanceNorm1d` for volumes, from [N, C, D, H, W] or [C, D, H, W] to the same shape. As `torch.nn.InstanceNorm3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.InstanceNorm3d(2).forward(randn([1, 2, 2, 3, 3])).shape; // [1, 2, 2, 3, 3]
 */
export class InstanceNorm3d extends InstanceNorm {
  protected override readonly sampleDims: number = 4;
}
