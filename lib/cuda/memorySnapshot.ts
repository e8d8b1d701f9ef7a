import { inspect } from 'node:util';

import { writeFileAtomic } from '../atomicFile.js';
import { AiforgeError } from '../errors.js';
import { orNull, string } from '../kinds.js';
import { logger } from '../log.js';
import { outOfDeviceMemory } from '../native.js';
import { nothing, signature } from '../signature.js';
import { deviceCount } from './device.js';
import { memoryStats } from './memory.js';
import { flavour, type MemorySegment } from './native.js';

const dumpTakes = signature({ file: string });
const failureTakes = signature({ file: orNull(string) });

/**
 * What the allocator has of the memory of every device, segment by segment. As `torch.cuda.memory_snapshot`.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is no device.
 * @example
 * import { cuda } from 'aiforge';
 * if (cuda.isAvailable()) console.log(cuda.memorySnapshot().map(({ totalSize, activeSize }) => [totalSize, activeSize]));
 */
export function memorySnapshot(): MemorySegment[] {
  nothing.check('memorySnapshot', arguments);
  return flavour().memorySnapshot();
}

/** Writes `memorySnapshot` and the counters of every device to a file as JSON; addresses are texts in hexadecimal. */
export function dumpMemorySnapshot(file: string): void {
  dumpTakes.check('dumpMemorySnapshot', arguments);
  const segments = memorySnapshot();
  const stats = Array.from({ length: deviceCount() }, (_, device) => memoryStats(device));
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value);
  writeFileAtomic(file, `${JSON.stringify({ stats, segments }, text, 1)}\n`);
}

/**
 * Has each OUT_OF_MEMORY of a GPU on this thread write a snapshot to a file, as `dumpMemorySnapshot` does, before it is thrown; null
 * ends that. A file that cannot be written is a warning.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is no device.
 */
export function dumpMemorySnapshotOnFailure(file: string | null): void {
  failureTakes.check('dumpMemorySnapshotOnFailure', arguments);
  flavour().memorySnapshot();
  outOfDeviceMemory.observer = file === null ? null : () => dumpOrWarn(file);
}

function dumpOrWarn(file: string): void {
  try {
    dumpMemorySnapshot(file);
  } catch (error) {
    if (!(error instanceof AiforgeError)) throw error;
    logger.warn(`The memory snapshot could not be written to ${inspect(file)}: ${error.message}`);
  }
}
