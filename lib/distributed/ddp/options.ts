import { boolean, kind, listOf, positive, string, tuple } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { groupKind, type ProcessGroup } from '../processGroup.js';
import { deviceIdKind } from '../rankDevice.js';

/** What a module must have to be trained on several ranks: every `nn.Module` has it. */
export interface TrainableModule {
  namedParameters(): Iterable<[string, Tensor]>;
  buffers(): Iterable<Tensor>;
  /** Needed for buffers among `ignoredParameters` alone. */
  namedBuffers?(): Iterable<[string, Tensor]>;
  forward(...args: never[]): unknown;
}

export interface DistributedDataParallelOptions {
  /**
   * The one GPU that the module is on, such as `[1]` or `['cuda:1']`; `forward` then moves its tensors there. INVALID_ARGUMENT for a
   * module that is elsewhere. Default: the module's device, and arguments as they are.
   */
  deviceIds?: readonly [number | `cuda:${number}`];
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
  /** Gradients travel in buckets of about this size, in MiB. Default: 25, and 1 for the first. */
  bucketCapMb?: number;
  /** The size of each bucket in MiB, in the order of use in forward; the last holds for those after it. Not with `bucketCapMb`. */
  bucketCapMbList?: readonly number[];
  /**
   * Lets a step leave parameters out, and a loss leave outputs out that are tensors or lie in arrays, plain objects and maps;
   * `forward` then returns copies of these. Default: false.
   */
  findUnusedParameters?: boolean;
  /**
   * Every step uses the same parameters in the same way, also parameters of no use and layers that are checkpointed several times: found
   * out in the first step, which averages after its backward pass, and told by `DISTRIBUTED_FAILED` where it changes. Default: false.
   */
  staticGraph?: boolean;
  /**
   * Gives every rank the buffers of rank 0 at the beginning, before the first forward pass and before the one after each averaged one.
   * Default: true.
   */
  broadcastBuffers?: boolean;
  /** As `broadcastBuffers`, which it goes before, but rank 0's buffers come at the beginning in any case. Default: `broadcastBuffers`. */
  forwardSyncBuffers?: boolean;
  /** Compares the parameters of the ranks and gives all those of rank 0; else they must be the same already. Default: true. */
  initSync?: boolean;
  /** Lets gradients be views of the buckets, which saves their memory. Default: false. */
  gradientAsBucketView?: boolean;
  /** Copies the gradients of a bucket together. Default: false. */
  batchedGradCopy?: boolean;
  /** Does not send what no step uses; that must be the same on all ranks for good. Default: false. */
  skipAllReduceUnusedParams?: boolean;
  /**
   * Names of parameters and buffers that stay each rank's own. As `_set_params_and_buffers_to_ignore_for_model`. INVALID_ARGUMENT for one
   * that the module does not have. Default: none.
   */
  ignoredParameters?: readonly string[];
}

/** Sizes in bytes are whole numbers that a double has exactly. */
const mebibytes = kind<number>(
  'a number of MiB above 0 and below 2^33',
  (value) => positive.accepts(value) && (value as number) < 2 ** 33,
);

const trainableKind = kind<TrainableModule>(
  'a module',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as TrainableModule).namedParameters === 'function' &&
    typeof (value as TrainableModule).forward === 'function',
);

export const ddpTakes = signature<DistributedDataParallelOptions>(
  { module: trainableKind },
  {
    deviceIds: tuple(deviceIdKind),
    group: groupKind,
    bucketCapMb: mebibytes,
    bucketCapMbList: listOf(mebibytes),
    findUnusedParameters: boolean,
    staticGraph: boolean,
    broadcastBuffers: boolean,
    forwardSyncBuffers: boolean,
    initSync: boolean,
    gradientAsBucketView: boolean,
    batchedGradCopy: boolean,
    skipAllReduceUnusedParams: boolean,
    ignoredParameters: listOf(string),
  },
).insteadOf({
  outputdevice: 'outputs are where the module leaves them; move them by to(device)',
  dim: 'each rank has a batch of its own, and none is divided along a dimension',
  devicemesh: 'give the group of its dimension: group: mesh.getGroup()',
  mixedprecision: 'run forward and the loss within amp.autocast',
});
