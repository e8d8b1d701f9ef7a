import { mapTree } from '../autograd/pytree.js';
import { anything, boolean } from '../kinds.js';
import { signature } from '../signature.js';
import { Tensor, type Device } from '../tensor/index.js';
import { deviceKind } from '../tensor/dtypeKinds.js';

export interface MoveOptions {
  /** Copies from pinned memory without waiting for the copy. Default: false. */
  nonBlocking?: boolean;
}

const moveTakes = signature<MoveOptions>({ batch: anything, device: deviceKind }, { nonBlocking: boolean });

interface Movable {
  to(device: Device): unknown;
}

const isMovable = (value: unknown): value is Movable =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Movable>).to === 'function';

/**
 * A batch on another device: the tensors in arrays, plain objects and maps, and whatever has a method `to`; all else stays as it
 * is. As Lightning's `move_data_to_device`.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE for a GPU that is not there.
 * @example
 * import { data, ones } from 'aiforge';
 * const batch = data.moveToDevice({ x: ones([2, 3]), names: ['a', 'b'] }, 'cpu');
 * batch.x.device; // cpu
 */
export function moveToDevice<T>(batch: T, device: Device, options: MoveOptions = {}): T {
  moveTakes.check('moveToDevice', arguments);
  const { nonBlocking = false } = options;
  return mapTree(batch, (leaf) => {
    if (Tensor.isTensor(leaf)) return leaf.to(device, { nonBlocking });
    return isMovable(leaf) ? leaf.to(device) : leaf;
  }) as T;
}

/** A batch whose tensors of the CPU are in pinned memory, from which a GPU copies by itself. */
export function pinBatch<T>(batch: T): T {
  const pin = (leaf: unknown) =>
    Tensor.isTensor(leaf) && leaf.device === 'cpu' && isDense(leaf) ? leaf.pinMemory() : leaf;
  return mapTree(batch, pin) as T;
}

const isDense = ({ layout }: Tensor): boolean => layout === 'strided';
