export {
  currentDevice,
  device,
  deviceCount,
  getDeviceCapability,
  getDeviceName,
  getDeviceProperties,
  isAvailable,
  ncclVersion,
  setDevice,
  synchronize,
  synchronizeAsync,
  type CudaDevice,
} from './device.js';
export { Event, type EventOptions } from './event.js';
export { CUDAGraph, isCurrentStreamCapturing, MemoryPool, type CaptureOptions } from './graph.js';
export { makeGraphedCallables, type GraphedCallableOptions } from './graphedCallable.js';
export {
  emptyCache,
  getPerProcessMemoryFraction,
  maxMemoryAllocated,
  maxMemoryReserved,
  memGetInfo,
  memoryAllocated,
  memoryReserved,
  memoryStats,
  resetAccumulatedMemoryStats,
  resetPeakMemoryStats,
  setPerProcessMemoryFraction,
} from './memory.js';
export { dumpMemorySnapshot, dumpMemorySnapshotOnFailure, memorySnapshot } from './memorySnapshot.js';
export { memorySummary, type MemorySummaryOptions } from './memorySummary.js';
export type { DeviceProperties, MemoryBlock, MemorySegment } from './native.js';
export {
  getRngState,
  getRngStateAll,
  initialSeed,
  manualSeed,
  manualSeedAll,
  seed,
  seedAll,
  setRngState,
  setRngStateAll,
} from './random.js';
export { currentStream, defaultStream, recordStream, Stream, type StreamOptions } from './stream.js';
