export {
  currentDevice,
  deviceCount,
  getDeviceCapability,
  getDeviceName,
  getDeviceProperties,
  getRngState,
  isAvailable,
  ncclVersion,
  setDevice,
  setRngState,
  synchronize,
  type CudaDevice,
} from './device.js';
export { Event, type EventOptions } from './event.js';
export { CUDAGraph, type CaptureOptions } from './graph.js';
export {
  emptyCache,
  maxMemoryAllocated,
  maxMemoryReserved,
  memGetInfo,
  memoryAllocated,
  memoryReserved,
  memoryStats,
  resetPeakMemoryStats,
} from './memory.js';
export type { DeviceProperties } from './native.js';
export { currentStream, defaultStream, recordStream, Stream, type StreamOptions } from './stream.js';
