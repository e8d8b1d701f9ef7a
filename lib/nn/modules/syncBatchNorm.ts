import { AiforgeError } from '../../errors.js';
import { size, orNull, kind, optional, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { moduleKind } from '../moduleKinds.js';
import { defaultSyncGroup, type SyncGroup } from '../syncGroup.js';
import { BatchNorm } from './batchNorm.js';
import { BatchNormOverRanks } from './batchNormOverRanks.js';
import { normOptions, type NormOptions } from './normBase.js';

export interface SyncBatchNormOptions extends NormOptions {
  /** The ranks whose batches count as one. Default: the group of `distributed.initProcessGroup`. */
  processGroup?: SyncGroup | null;
}

const isGroup = (value: unknown): boolean => typeof (value as SyncGroup | null)?.allGatherSync === 'function';

const groupKind = orNull(kind<SyncGroup>('a process group', isGroup));

const syncBatchNormOptions: Kinds<SyncBatchNormOptions> = {
  ...normOptions,
  processGroup: groupKind,
};

const syncBatchNormTakes = signature({ numFeatures: size }, syncBatchNormOptions);
const convertTakes = signature({ module: moduleKind, processGroup: optional(groupKind) });

/**
 * Batch normalization over the batches of all ranks together, from [N, C, *] to the same shape. Without a process group, in
 * evaluation, and for a single rank it is the batch norm of this rank alone. As `torch.nn.SyncBatchNorm`.
 *
 * Throws `INVALID_ARGUMENT` for fewer than two dimensions, for no channels, and, as PyTorch does, for a tensor that is not on
 * a GPU when there is a process group.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
 * const synced = nn.SyncBatchNorm.convertSyncBatchnorm(model);
 * String(synced.at(1)).startsWith('SyncBatchNorm(3,'); // true
 * synced.forward(randn([4, 2])).shape; // [4, 3]
 */
export class SyncBatchNorm extends BatchNorm {
  readonly processGroup: SyncGroup | null;

  constructor(numFeatures: number, options: SyncBatchNormOptions = {}) {
    syncBatchNormTakes.check(new.target.name, arguments);
    const { processGroup = null, ...rest } = options;
    super(numFeatures, rest);
    this.processGroup = processGroup;
  }

  protected override checkInput(input: Tensor): void {
    const { shape } = input;
    if (shape.length >= 2 && shape[1]! > 0) return;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `SyncBatchNorm: expected an input of at least 2 dimensions with channels, got [${shape.join(', ')}].`,
    );
  }

  protected override normalize(
    input: Tensor,
    runningMean: Tensor | null,
    runningVar: Tensor | null,
    usesBatch: boolean,
    factor: number,
  ): Tensor {
    const group = this.training ? (this.processGroup ?? defaultSyncGroup()) : null;
    if (group !== null) {
      // As in PyTorch, even where a single rank would need no GPU.
      if (!input.device.startsWith('cuda')) {
        throw new AiforgeError(
          'INVALID_ARGUMENT',
          `SyncBatchNorm: with a process group the input must be on a GPU, got one on ${input.device}; use BatchNorm on the CPU.`,
        );
      }
      if (group.worldSize > 1) {
        const { weight, bias, eps } = this;
        return BatchNormOverRanks.apply(input, weight, bias, runningMean, runningVar, eps, factor, group);
      }
    }
    return super.normalize(input, runningMean, runningVar, usesBatch, factor);
  }

  /**
   * Puts a SyncBatchNorm with the same parameters and statistics in the place of every batch norm in `module`. Returns
   * `module`, or what takes its place. As `convert_sync_batchnorm`.
   */
  static convertSyncBatchnorm<M extends Module>(
    module: M,
    processGroup: SyncGroup | null = null,
  ): M extends BatchNorm ? SyncBatchNorm : M {
    convertTakes.check('SyncBatchNorm.convertSyncBatchnorm', arguments);
    const output = module instanceof BatchNorm ? synced(module, processGroup) : module;
    for (const [name, child] of [...module.namedChildren()]) {
      output.setSubmodule(name, SyncBatchNorm.convertSyncBatchnorm<Module>(child, processGroup));
    }
    return output as M extends BatchNorm ? SyncBatchNorm : M;
  }
}

function synced(norm: BatchNorm, processGroup: SyncGroup | null): SyncBatchNorm {
  const { eps, momentum, affine, trackRunningStats, training } = norm;
  const { weight, bias, runningMean, runningVar, numBatchesTracked } = norm;
  const options = { eps, momentum, affine, trackRunningStats, bias: bias !== null, processGroup };
  const tensors = { weight, bias, runningMean, runningVar, numBatchesTracked };
  return Object.assign(new SyncBatchNorm(norm.numFeatures, options), { ...tensors, training });
}
