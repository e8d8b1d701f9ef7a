import { deviceTakes, indexOf, type CudaDevice } from './device.js';
import { flavour, nativeCuda } from './native.js';
import { anything, fraction as fractionKind, optional } from '../kinds.js';
import { nothing, signature } from '../signature.js';

const fractionTakes = signature({ fraction: fractionKind, device: optional(anything) });

/**
 * The counters of a device's caching allocator, under the keys of `torch.cuda.memory_stats`. Default: the current device.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is none.
 * @example
 * import { cuda } from 'aiforge';
 * if (cuda.isAvailable()) console.log(cuda.memoryStats()['allocated_bytes.all.peak']);
 */
export function memoryStats(device?: CudaDevice): Record<string, number> {
  deviceTakes.check('memoryStats', arguments);
  return nativeCuda().memoryStats(indexOf(device));
}

function counter(name: string, key: string) {
  return function (device?: CudaDevice): number {
    deviceTakes.check(name, arguments);
    return memoryStats(device)[key] ?? 0;
  };
}

/** Bytes that tensors of a device have now. Throws DEVICE_UNAVAILABLE where there is none. */
export const memoryAllocated: (device?: CudaDevice) => number = counter(
  'memoryAllocated',
  'allocated_bytes.all.current',
);

/** The most bytes that tensors had at once since the start or `resetPeakMemoryStats`. */
export const maxMemoryAllocated: (device?: CudaDevice) => number = counter(
  'maxMemoryAllocated',
  'allocated_bytes.all.peak',
);

/** Bytes that the allocator has of the driver: those of tensors, and those that it keeps for the next ones. */
export const memoryReserved: (device?: CudaDevice) => number = counter('memoryReserved', 'reserved_bytes.all.current');

/** The most bytes that the allocator had at once since the start or `resetPeakMemoryStats`. */
export const maxMemoryReserved: (device?: CudaDevice) => number = counter(
  'maxMemoryReserved',
  'reserved_bytes.all.peak',
);

/** Makes the peaks begin anew. Throws DEVICE_UNAVAILABLE where there is no device. */
export function resetPeakMemoryStats(device?: CudaDevice): void {
  deviceTakes.check('resetPeakMemoryStats', arguments);
  nativeCuda().resetPeakMemoryStats(indexOf(device));
}

/** Makes the sums, of what was allocated and freed, begin anew. Throws DEVICE_UNAVAILABLE where there is no device. */
export function resetAccumulatedMemoryStats(device?: CudaDevice): void {
  deviceTakes.check('resetAccumulatedMemoryStats', arguments);
  nativeCuda().resetAccumulatedMemoryStats(indexOf(device));
}

/**
 * Limits what the allocator takes of a device to a fraction of its memory, from 0 to 1; what needs more is OUT_OF_MEMORY. As
 * `torch.cuda.set_per_process_memory_fraction`. Default: the current device.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is none.
 */
export function setPerProcessMemoryFraction(fraction: number, device?: CudaDevice): void {
  fractionTakes.check('setPerProcessMemoryFraction', arguments);
  flavour().setMemoryFraction(indexOf(device), fraction);
}

/** The fraction of a device's memory that the allocator may take; 1 at first. Throws DEVICE_UNAVAILABLE where there is none. */
export function getPerProcessMemoryFraction(device?: CudaDevice): number {
  deviceTakes.check('getPerProcessMemoryFraction', arguments);
  return flavour().memoryFraction(indexOf(device));
}

/** Gives the driver back what the allocator keeps of every device; does nothing where there is none. */
export function emptyCache(): void {
  nothing.check('emptyCache', arguments);
  nativeCuda().emptyCache();
}

/** Free bytes and all bytes of a device, whoever uses them. Throws DEVICE_UNAVAILABLE where there is none. */
export function memGetInfo(device?: CudaDevice): [free: number, total: number] {
  deviceTakes.check('memGetInfo', arguments);
  return nativeCuda().memGetInfo(indexOf(device));
}
