import { anything, listOf, optional } from '../kinds.js';
import { native } from '../native.js';
import { nothing, signature } from '../signature.js';
import { seedBits } from '../tensor/generator.js';
import { tensorKind } from '../tensor/kinds.js';
import { handleOf, wrapHandle, type Tensor } from '../tensor/tensor.js';
import { deviceCount, deviceTakes, indexOf, type CudaDevice } from './device.js';
import { nativeCuda } from './native.js';

const seedTakes = signature({ seed: anything });
const stateTakes = signature({ state: tensorKind, device: optional(anything) });
const statesTake = signature({ states: listOf(tensorKind) });

const nameOf = (device?: CudaDevice): string => `cuda:${nativeCuda().deviceIndex(indexOf(device))}`;
const everyDevice = (): number[] => Array.from({ length: deviceCount() }, (_, device) => device);

/**
 * The state of a device's default generator as a uint8 tensor on the CPU. `manualSeed` seeds it, as it does every device's.
 * Default: the current device.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is none.
 */
export function getRngState(device?: CudaDevice): Tensor {
  deviceTakes.check('getRngState', arguments);
  return wrapHandle(native.generatorState(nameOf(device)));
}

/** Sets the state of a device's default generator to one that `getRngState` gave. */
export function setRngState(state: Tensor, device?: CudaDevice): void {
  stateTakes.check('setRngState', arguments);
  native.setGeneratorState(nameOf(device), handleOf(state));
}

/** The states of all devices' default generators; none where there is no device. */
export function getRngStateAll(): Tensor[] {
  nothing.check('getRngStateAll', arguments);
  return everyDevice().map((device) => getRngState(device));
}

/** Sets the states of the first devices' default generators to those that `getRngStateAll` gave. */
export function setRngStateAll(states: readonly Tensor[]): void {
  statesTake.check('setRngStateAll', arguments);
  states.forEach((state, device) => setRngState(state, device));
}

/**
 * Seeds the current device's default generator: the same seed gives the same numbers as PyTorch. Does nothing where there is no
 * device.
 */
export function manualSeed(seed: number | bigint): void {
  seedTakes.check('manualSeed', arguments);
  const bits = seedBits('manualSeed', seed);
  if (deviceCount() > 0) native.seedGenerator(nameOf(), bits);
}

/** Seeds every device's default generator; does nothing where there is no device. */
export function manualSeedAll(seed: number | bigint): void {
  seedTakes.check('manualSeedAll', arguments);
  const bits = seedBits('manualSeedAll', seed);
  for (const device of everyDevice()) native.seedGenerator(nameOf(device), bits);
}

/** Seeds the current device's default generator from the system's entropy; returns the seed. */
export function seed(): number | bigint {
  nothing.check('seed', arguments);
  return native.seedFromSystem(nameOf());
}

/** Seeds every device's default generator with one seed from the system's entropy; returns it, or null where there is no device. */
export function seedAll(): number | bigint | null {
  nothing.check('seedAll', arguments);
  if (deviceCount() === 0) return null;
  const value = native.seedFromSystem(nameOf(0));
  manualSeedAll(value);
  return value;
}

/** The seed of the current device's default generator. Throws DEVICE_UNAVAILABLE where there is no device. */
export function initialSeed(): number | bigint {
  nothing.check('initialSeed', arguments);
  return native.initialSeed(nameOf());
}
