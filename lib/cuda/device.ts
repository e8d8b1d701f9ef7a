import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { currentContext, runInContext } from '../tensor/context/context.js';
import { cudaIndex } from '../tensor/dtype.js';
import { moveTo, placeWithin } from '../tensor/context/devicePlace.js';
import { flavour, isCudaFlavour, nativeCuda, type DeviceProperties } from './native.js';
import { anything, func, optional } from '../kinds.js';
import { nothing, signature } from '../signature.js';

/** A CUDA device: its number, `'cuda'` for the current one, or `'cuda:1'`. */
export type CudaDevice = number | 'cuda' | `cuda:${number}`;

/** What most functions about a device take. */
export const deviceTakes = signature({ device: optional(anything) });
const setDeviceTakes = signature({ device: anything });
const scopeTakes = signature({ device: anything, body: func() });

/** A device's number; null for the current one. Throws INVALID_ARGUMENT for what is no CUDA device. */
export function indexOf(device: CudaDevice | null | undefined): number | null {
  if (device === undefined || device === null || device === 'cuda') return null;
  if (Number.isInteger(device)) return device as number;
  const index = cudaIndex(device);
  if (index !== undefined) return index;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `expected a CUDA device, such as 0, 'cuda' or 'cuda:1', got ${inspect(device, { depth: 0, customInspect: false })}.`,
  );
}

/** Whether a CUDA device can be used: the build is of the CUDA flavour, and a driver shows a GPU. */
export function isAvailable(): boolean {
  nothing.check('isAvailable', arguments);
  return nativeCuda().deviceCount() > 0;
}

/**
 * The number of CUDA devices that can be used; 0 in a build for the CPU, without a driver and without a GPU.
 *
 * @example
 * import { cuda, ones } from 'aiforge';
 * const x = ones([2], { device: cuda.deviceCount() > 0 ? 'cuda' : 'cpu' });
 */
export function deviceCount(): number {
  nothing.check('deviceCount', arguments);
  return nativeCuda().deviceCount();
}

/** The device that `'cuda'` stands for in the running code. Throws DEVICE_UNAVAILABLE where there is none. */
export function currentDevice(): number {
  nothing.check('currentDevice', arguments);
  return nativeCuda().deviceIndex(null);
}

/**
 * Makes a device the one that `'cuda'` stands for: on this thread, or up to the end of the `device` or `Stream.run` that this
 * is called in. Throws DEVICE_UNAVAILABLE for one that is not there.
 */
export function setDevice(device: CudaDevice): void {
  setDeviceTakes.check('setDevice', arguments);
  const index = nativeCuda().deviceIndex(indexOf(device));
  moveTo(currentContext().place, index);
}

/**
 * Runs a function with a device as the one that `'cuda'` stands for; returns what it returns. Follows `await`. As
 * `with torch.cuda.device(…)`.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE for one that is not there.
 * @example
 * import { cuda, ones } from 'aiforge';
 * if (cuda.deviceCount() > 1) console.log(cuda.device(1, () => ones([2], { device: 'cuda' })).device); // cuda:1
 */
export function device<T>(device: CudaDevice, body: () => T): T {
  scopeTakes.check('device', arguments);
  const index = nativeCuda().deviceIndex(indexOf(device));
  return runInContext({ place: placeWithin(currentContext().place, index, null) }, body);
}

/**
 * Waits, and this thread's event loop with it, until a device has done all its work, of every stream. Default: the current one.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is none.
 */
export function synchronize(device?: CudaDevice): void {
  deviceTakes.check('synchronize', arguments);
  nativeCuda().synchronize(indexOf(device));
}

/**
 * Resolves when a device has done all the work that it has now, of every stream. Default: the current one.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is none.
 * @example
 * import { cuda, ones } from 'aiforge';
 * if (cuda.isAvailable()) {
 *   const x = ones([4096, 4096], { device: 'cuda' });
 *   x.matmul(x);
 *   await cuda.synchronizeAsync(); // the event loop goes on meanwhile
 * }
 */
export async function synchronizeAsync(device?: CudaDevice): Promise<void> {
  deviceTakes.check('synchronizeAsync', arguments);
  return nativeCuda().synchronizeBeside(indexOf(device));
}

/**
 * What a GPU is and has. Default: the current one. Throws DEVICE_UNAVAILABLE for one that is not there.
 *
 * @example
 * import { cuda } from 'aiforge';
 * if (cuda.isAvailable()) console.log(cuda.getDeviceProperties().name, cuda.getDeviceProperties().totalMemory);
 */
export function getDeviceProperties(device?: CudaDevice): DeviceProperties {
  deviceTakes.check('getDeviceProperties', arguments);
  return flavour().deviceProperties(indexOf(device));
}

/** The GPU's name, such as `'NVIDIA H100 80GB HBM3'`. Throws DEVICE_UNAVAILABLE for one that is not there. */
export function getDeviceName(device?: CudaDevice): string {
  deviceTakes.check('getDeviceName', arguments);
  return getDeviceProperties(device).name;
}

/** The GPU's compute capability. Throws DEVICE_UNAVAILABLE for one that is not there. */
export function getDeviceCapability(device?: CudaDevice): [major: number, minor: number] {
  deviceTakes.check('getDeviceCapability', arguments);
  const { major, minor } = getDeviceProperties(device);
  return [major, minor];
}

/** The version of NCCL; null in a build for the CPU, which has none. */
export function ncclVersion(): [major: number, minor: number, patch: number] | null {
  nothing.check('ncclVersion', arguments);
  if (!isCudaFlavour) return null;
  // As torch.cuda.nccl.version(): major in the high word, minor and patch below it.
  const packed = BigInt(flavour().ncclVersion());
  return [Number(packed >> 32n), Number((packed >> 16n) & 0xffffn), Number(packed & 0xffffn)];
}
