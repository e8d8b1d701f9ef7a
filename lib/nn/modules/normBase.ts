import { boolean, number, orNull, type Kinds } from '../../kinds.js';
import { noGrad } from '../../autograd/modes.js';
import { empty, ones, zeros } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ones_, zeros_ } from '../init.js';
import { hasUninitializedParams } from '../lazy.js';
import type { ModuleMetadata, StateDictLoading } from '../state/loadStateDict.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { pythonBoolean, pythonFloat } from '../printing/printing.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { nothing } from '../../signature.js';

export interface NormOptions extends FactoryOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** How much of a new statistic goes into the running one, from 0 to 1; null: the mean of all batches. Default: 0.1. */
  momentum?: number | null;
  /** Whether there are a learnt weight and bias. Default: true, for instance norms false. */
  affine?: boolean;
  /** Whether running statistics are kept for evaluation. Default: true, for instance norms false. */
  trackRunningStats?: boolean;
  /** Whether there is a learnt bias beside the weight. Default: true. */
  bias?: boolean;
}

export const normOptions: Kinds<NormOptions> = {
  eps: number,
  momentum: orNull(number),
  affine: boolean,
  trackRunningStats: boolean,
  ...factoryOptions,
  bias: boolean,
};

/** What the norms that can keep running statistics of `numFeatures` channels share. */
export abstract class NormBase extends Module {
  /** 2 since the batches are counted. */
  static override readonly stateDictVersion: number = 2;

  numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  affine: boolean;
  trackRunningStats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  declare runningMean: Tensor | null;
  declare runningVar: Tensor | null;
  declare numBatchesTracked: Tensor | null;

  constructor(
    numFeatures: number,
    { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true, bias = true, ...factory }: NormOptions,
  ) {
    super();
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    this.weight = affine ? new Parameter(empty([numFeatures], factory)) : null;
    this.bias = affine && bias ? new Parameter(empty([numFeatures], factory)) : null;
    this.registerBuffer('runningMean', trackRunningStats ? zeros([numFeatures], factory) : null);
    this.registerBuffer('runningVar', trackRunningStats ? ones([numFeatures], factory) : null);
    const counter = { dtype: 'int64', device: factory.device } as const;
    this.registerBuffer('numBatchesTracked', trackRunningStats ? zeros([], counter) : null);
    this.resetParameters();
    noteMembers(this);
  }

  /** Forgets the statistics: mean 0, variance 1. */
  resetRunningStats(): void {
    nothing.check('resetRunningStats', arguments);
    scope(() =>
      noGrad(() => {
        this.runningMean?.zero_();
        this.runningVar?.fill_(1);
        this.numBatchesTracked?.zero_();
      }),
    );
  }

  /** Sets the weight to 1 and the bias to 0, and forgets the statistics; a lazy layer does so when it gets its size. */
  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    if (hasUninitializedParams(this)) return;
    this.resetRunningStats();
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  // A state dict from before batches were counted has no number of them: the module's own stays.
  override loadFromStateDict(
    state: Map<string, unknown>,
    prefix: string,
    metadata: ModuleMetadata,
    loading: StateDictLoading,
  ): void {
    const key = `${prefix}num_batches_tracked`;
    if ((metadata.version ?? 0) < 2 && this.numBatchesTracked !== null && !state.has(key)) {
      state.set(key, this.numBatchesTracked);
    }
    super.loadFromStateDict(state, prefix, metadata, loading);
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : pythonFloat(this.momentum);
    return (
      `${this.numFeatures}, eps=${pythonFloat(this.eps)}, momentum=${momentum}, ` +
      `affine=${pythonBoolean(this.affine)}, bias=${pythonBoolean(this.bias !== null)}, ` +
      `track_running_stats=${pythonBoolean(this.trackRunningStats)}`
    );
  }
}
