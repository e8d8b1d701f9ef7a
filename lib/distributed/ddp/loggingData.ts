/** What the engine knows of a `DistributedDataParallel`, as Python's `_get_ddp_logging_data`; times are in nanoseconds. */
export interface DdpLoggingData {
  readonly moduleName: string;
  readonly backendName: string;
  readonly worldSize: number;
  readonly rank: number;
  readonly deviceIds: string;
  readonly outputDevice: number;
  readonly dtypes: string;
  readonly numParameterTensors: number;
  readonly totalParameterSizeBytes: number;
  readonly isMultiDeviceModule: number;
  readonly broadcastBuffers: number;
  readonly bucketCapBytes: number;
  readonly findUnusedParameters: number;
  readonly gradientAsBucketView: number;
  readonly hasSyncBn: number;
  /** 1 for `staticGraph`. */
  readonly staticGraph?: number;
  readonly commHook?: string;
  readonly joinUnevenInputs?: number;
  /** The sizes of the first buckets in bytes, such as `'4000, 1200'`. */
  readonly bucketSizes: string;
  readonly hasRebuiltBuckets?: number;
  readonly rebuiltBucketSizes?: string;
  readonly rebuiltPerBucketParamIndices?: string;
  readonly initialBucketSizeLimits?: string;
  readonly rebuiltBucketSizeLimits?: string;
  readonly prevIterationGradReadyOrderIndices?: string;
  /** How many averaged steps there were when the rest was measured. */
  readonly iteration?: number;
  readonly numBucketsReduced?: number;
  readonly numIterations?: number;
  readonly unusedParameterSize?: number;
  readonly forwardComputeTime?: number;
  readonly backwardComputeTime?: number;
  readonly backwardCommTime?: number;
  readonly backwardComputeCommOverlapTime?: number;
  readonly avgForwardComputeTime?: number;
  readonly avgBackwardComputeTime?: number;
  readonly avgBackwardCommTime?: number;
  readonly avgBackwardComputeCommOverlapTime?: number;
  readonly forwardComputeTimeStart?: bigint;
  readonly backwardComputeTimeStart?: bigint;
  readonly backwardComputeTimeEnd?: bigint;
  readonly backwardCommTimeStart?: bigint;
  readonly backwardCommTimeEnd?: bigint;
  readonly hasError?: number;
  readonly error?: string;
  readonly masterAddr: string;
  readonly masterPort: string;
  readonly torchDistributedDebug: string;
  readonly cudaVisibleDevices: string;
  readonly glooSocketIfname?: string;
  readonly glooDeviceTransport?: string;
  readonly glooNumThreads?: number;
  readonly ncclSocketIfname?: string;
  readonly ncclBlockingWait?: string;
  readonly ncclAsyncErrorHandling?: string;
  readonly ncclDebug?: string;
  readonly ncclNthreads?: string;
  readonly ncclIbTimeout?: string;
  readonly ncclVersion?: string;
}

/** The same under names in camelCase. */
export function loggingDataOf(raw: Readonly<Record<string, string | number | bigint>>): DdpLoggingData {
  const renamed = Object.entries(raw).map(([name, value]) => [
    name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(renamed) as DdpLoggingData;
}
