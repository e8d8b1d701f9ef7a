import { indexOf, type CudaDevice } from './device.js';
import { nativeCuda } from './native.js';

/**
 * The counters of a device's caching allocator, under the keys of `torch.cuda.memory_stats`. Default: the current device.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is none.
 * @example
 * import { cuda } from 'aiforge';
 * if (cuda.isAvailable()) console.log(cuda.memoryStats()['allocated_bytes.all.peak']);
 */
export function memoryStats(device?: CudaDevice): Record<string, number> {
  return nativeCuda.memoryStats(indexOf(device));
}

const counter =
  (name: string) =>
  (device?: CudaDevice): number =>
    memoryStats(device)[name] ?? 0;

/** Bytes that tensors of a device have now. Throws DEVICE_UNAVAILABLE where there is none. */
export const memoryAllocated: (device?: CudaDevice) => number = counter('allocated_bytes.all.current');

/** The most bytes that tensors had at once since the start or `resetPeakMemoryStats`. */
export const maxMemoryAllocated: (device?: CudaDevice) => number = counter('allocated_bytes.all.peak');

/** Bytes that the allocator has of the driver: those of tensors, and those that it keeps for the next ones. */
export const memoryReserved: (device?: CudaDevice) => number = counter('reserved_bytes.all.current');

/** The most bytes that the allocator had at once since the start or `resetPeakMemoryStats`. */
export const maxMemoryReserved: (device?: CudaDevice) => number = counter('reserved_bytes.all.peak');

/** Makes the peaks begin anew. Throws DEVICE_UNAVAILABLE where there is no device. */
export function resetPeakMemoryStats(device?: CudaDevice): void {
  nativeCuda.resetPeakMemoryStats(indexOf(device));
}

/** Gives the driver back what the allocator keeps of every device; does nothing where there is none. */
export function emptyCache(): void {
  nativeCuda.emptyCache();
}

/** Free bytes and all bytes of a device, whoever uses them. Throws DEVICE_UNAVAILABLE where there is none. */
export function memGetInfo(device?: CudaDevice): [free: number, total: number] {
  return nativeCuda.memGetInfo(indexOf(device));
}
