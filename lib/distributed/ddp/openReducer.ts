import { indexOf } from '../../cuda/device.js';
import { AiforgeError } from '../../errors.js';
import { isUninitialized } from '../../nn/uninitialized.js';
import { handlesOf } from '../../tensor/tensor.js';
import { nativeDistributed, type NativeReducer } from '../native.js';
import type { ProcessGroup } from '../processGroup.js';
import type { DistributedDataParallelOptions, TrainableModule } from './options.js';
import { checkedDevice, requireGpu } from './placement.js';
import { SharedState } from './sharedState.js';
import { hasSyncBatchNorm, sparseParameters } from './sparseParameters.js';
import { WrappedModule } from './wrappedModule.js';

/** What an error about parameters without a gradient advises, by whether they are searched for. */
export interface UnusedAdvice {
  searched: string;
  otherwise: string;
}

export const unusedAdvice: UnusedAdvice = {
  searched:
    'With findUnusedParameters, what forward returns must be tensors, arrays, plain objects and maps; a forward pass ' +
    'without a backward pass belongs in noGrad.',
  otherwise:
    'Pass { findUnusedParameters: true }, or take the unused parameters out of the module; a forward pass without a ' +
    'backward pass belongs in noGrad.',
};

/** What a DistributedDataParallel was made with. */
export interface Given {
  findsUnused: boolean;
  staticGraph: boolean;
  syncsBuffers: boolean;
  /** Where arguments go. */
  device: string | null;
}

/** The names of the parameters whose gradients travel together, in order. */
export type GradientBuckets = readonly (readonly string[])[];

interface Opened {
  reducer: NativeReducer;
  state: SharedState;
  given: Given;
}

/** Makes the engine's part of a DistributedDataParallel, together with the other ranks. */
export async function openReducer(
  module: TrainableModule,
  group: ProcessGroup,
  options: DistributedDataParallelOptions & { gradientBuckets?: GradientBuckets },
  advice: UnusedAdvice,
): Promise<Opened> {
  requireReady(module);
  const { deviceIds, findUnusedParameters = false, staticGraph = false } = options;
  const { broadcastBuffers = true, forwardSyncBuffers } = options;
  const device = deviceIds === undefined ? null : checkedDevice(module, deviceIds);
  const state = new SharedState(module, options.ignoredParameters);
  const { parameters } = state;
  const syncsBuffers = forwardSyncBuffers ?? broadcastBuffers;
  const isSynced = hasSyncBatchNorm(module);
  if (isSynced) requireGpu(parameters);
  const reducer = await nativeDistributed.openReducer(
    group.native,
    handlesOf(parameters.map(([, parameter]) => parameter)),
    parameters.map(([name]) => name),
    handlesOf(sparseParameters(module)),
    handlesOf(forwardSyncBuffers !== undefined || broadcastBuffers ? state.buffers : []),
    {
      ...bucketSizes(options),
      moduleName: module.constructor.name,
      findUnusedParameters,
      gradientAsBucketView: options.gradientAsBucketView ?? false,
      skipAllReduceUnusedParams: options.skipAllReduceUnusedParams ?? false,
      batchedGradCopy: options.batchedGradCopy ?? false,
      staticGraph,
      broadcastBuffers: syncsBuffers,
      hasSyncBatchNorm: isSynced,
      initSync: options.initSync ?? true,
      device: device === null ? null : indexOf(device as 'cuda:0'),
      buckets: options.gradientBuckets ?? [],
      unusedAdvice: findUnusedParameters ? advice.searched : advice.otherwise,
    },
  );
  const findsUnused = findUnusedParameters && !staticGraph;
  return { reducer, state, given: { findsUnused, staticGraph, syncsBuffers, device } };
}

function requireReady(module: TrainableModule): void {
  if (module instanceof WrappedModule) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'DistributedDataParallel: the module is wrapped already; wrap its .module.',
    );
  }
  for (const [name, parameter] of module.namedParameters()) {
    if (!isUninitialized(parameter)) continue;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `DistributedDataParallel: the parameter '${name}' has no shape yet: run one forward pass of the module before it is wrapped, in noGrad.`,
    );
  }
}

const mebibyte = 1024 * 1024;

/** The first bucket is small by default, so that averaging begins early; a cap that was asked for holds for all. */
function bucketSizes({ bucketCapMb, bucketCapMbList = [] }: DistributedDataParallelOptions): BucketSizes {
  if (bucketCapMb !== undefined && bucketCapMbList.length > 0) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'DistributedDataParallel: bucketCapMb and bucketCapMbList both say how large buckets are; give one of them.',
    );
  }
  const bytes = (mebibytes: number): number => Math.trunc(mebibytes * mebibyte);
  const cap = bucketCapMbList.length > 0 ? Math.max(...bucketCapMbList) : bucketCapMb;
  if (cap === undefined) return { firstBucketBytes: mebibyte, bucketBytes: 25 * mebibyte, bucketBytesList: [] };
  return { firstBucketBytes: bytes(cap), bucketBytes: bytes(cap), bucketBytesList: bucketCapMbList.map(bytes) };
}

interface BucketSizes {
  firstBucketBytes: number;
  bucketBytes: number;
  bucketBytesList: number[];
}

/** The error for a static graph whose first pass is not averaged: LibTorch would fail in the backward pass, without a reason. */
export function staticInNoSync(): AiforgeError {
  return new AiforgeError(
    'INVALID_ARGUMENT',
    'DistributedDataParallel: with staticGraph the first forward pass finds out the graph and must be averaged: take it out of noSync.',
  );
}
