import { signature, nothing } from '../../signature.js';
import { zeros } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  hasUninitializedParams,
  initializeOnForward,
  regular,
  type LazyLayer,
  type LazyModule,
  type ModuleStatics,
} from '../lazy.js';
import { materialize, UninitializedBuffer, UninitializedParameter } from '../uninitialized.js';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from './batchNorm.js';
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from './instanceNorm.js';
import { normOptions, type NormBase, type NormOptions } from './normBase.js';
import { checkInput } from '../checks.js';

/** The options with which a norm is made that has no tensors. */
const bare = (options: NormOptions): NormOptions => ({ ...options, affine: false, trackRunningStats: false });

/** Gives a norm without tensors those of its options, of a size that its first input will tell. */
function defer(norm: NormBase & LazyModule, options: NormOptions): void {
  const { affine = true, trackRunningStats = true, bias = true, device, dtype } = options;
  const factory = { device, dtype };
  norm.affine = affine;
  norm.trackRunningStats = trackRunningStats;
  if (affine) norm.weight = new UninitializedParameter(factory);
  if (affine && bias) norm.bias = new UninitializedParameter(factory);
  if (trackRunningStats) {
    norm.runningMean = new UninitializedBuffer(factory);
    norm.runningVar = new UninitializedBuffer(factory);
    norm.numBatchesTracked = zeros([], { dtype: 'int64', device });
  }
  initializeOnForward(norm);
}

function initialize(norm: NormBase, input: Tensor): void {
  checkInput(norm.constructor.name, input);
  if (!hasUninitializedParams(norm)) return;
  norm.numFeatures = input.size(1);
  for (const tensor of [norm.weight, norm.bias, norm.runningMean, norm.runningVar]) {
    materialize(tensor, [norm.numFeatures]);
  }
  norm.resetParameters();
}

const lazyNormTakes = signature({}, normOptions);

type LazyNorm<Layer> = ModuleStatics & (new (options?: NormOptions) => Layer & LazyLayer);

/** The lazy class of a norm's: its constructor takes all but `numFeatures`. */
function lazy<Layer extends NormBase>(
  Layer: new (numFeatures: number, options?: NormOptions) => Layer,
): LazyNorm<Layer> {
  const Regular: new (numFeatures: number, options?: NormOptions) => NormBase = Layer;
  abstract class Lazy extends Regular implements LazyLayer {
    constructor(options: NormOptions = {}) {
      lazyNormTakes.check(new.target.name, arguments);
      super(0, bare(options));
      defer(this, options);
    }

    get [regular](): object {
      return Regular.prototype as object;
    }

    hasUninitializedParams(): boolean {
      nothing.check('hasUninitializedParams', arguments);
      return hasUninitializedParams(this);
    }

    initializeParameters(input: Tensor): void {
      initialize(this, input);
    }
  }
  return Lazy as unknown as LazyNorm<Layer>;
}

/**
 * A `BatchNorm1d` whose `numFeatures` is the size of dimension 1 of the first input; it is an ordinary BatchNorm1d afterwards.
 * As `torch.nn.LazyBatchNorm1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.LazyBatchNorm1d();
 * norm.forward(randn([8, 3])).shape; // [8, 3]
 * norm.numFeatures; // 3
 */
export class LazyBatchNorm1d extends lazy(BatchNorm1d) {}

/**
 * A `BatchNorm2d` whose `numFeatures` is the size of dimension 1 of the first input. As `torch.nn.LazyBatchNorm2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.LazyBatchNorm2d();
 * norm.forward(randn([2, 3, 4, 4]));
 * norm.numFeatures; // 3
 */
export class LazyBatchNorm2d extends lazy(BatchNorm2d) {}

/**
 * A `BatchNorm3d` whose `numFeatures` is the size of dimension 1 of the first input. As `torch.nn.LazyBatchNorm3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.LazyBatchNorm3d();
 * norm.forward(randn([2, 3, 2, 4, 4]));
 * norm.numFeatures; // 3
 */
export class LazyBatchNorm3d extends lazy(BatchNorm3d) {}

/**
 * An `InstanceNorm1d` whose `numFeatures` is the size of dimension 1 of the first input. Unlike that, it has weights and running
 * statistics unless they are declined. As `torch.nn.LazyInstanceNorm1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.LazyInstanceNorm1d();
 * norm.forward(randn([2, 3, 4]));
 * norm.numFeatures; // 3
 */
export class LazyInstanceNorm1d extends lazy(InstanceNorm1d) {}

/**
 * An `InstanceNorm2d` whose `numFeatures` is the size of dimension 1 of the first input. Unlike that, it has weights and running
 * statistics unless they are declined. As `torch.nn.LazyInstanceNorm2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.LazyInstanceNorm2d();
 * norm.forward(randn([2, 3, 4, 4]));
 * norm.numFeatures; // 3
 */
export class LazyInstanceNorm2d extends lazy(InstanceNorm2d) {}

/**
 * An `InstanceNorm3d` whose `numFeatures` is the size of dimension 1 of the first input. Unlike that, it has weights and running
 * statistics unless they are declined. As `torch.nn.LazyInstanceNorm3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const norm = new nn.LazyInstanceNorm3d();
 * norm.forward(randn([2, 3, 2, 4, 4]));
 * norm.numFeatures; // 3
 */
export class LazyInstanceNorm3d extends lazy(InstanceNorm3d) {}
