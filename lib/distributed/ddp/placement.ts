import { flattenTree, unflattenTree } from '../../autograd/pytree.js';
import { indexOf } from '../../cuda/device.js';
import { AiforgeError } from '../../errors.js';
import { Tensor } from '../../tensor/tensor.js';
import type { TrainableModule } from './options.js';

/** The GPU of `deviceIds`; throws unless all of the module is there. */
export function checkedDevice(module: TrainableModule, deviceIds: readonly [number | `cuda:${number}`]): string {
  const device = `cuda:${indexOf(deviceIds[0])}`;
  for (const [name, parameter] of module.namedParameters()) {
    if (parameter.device === device) continue;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `DistributedDataParallel: deviceIds names ${device}, but the parameter '${name}' is on ${parameter.device}: move the ` +
        'module there first, or leave deviceIds out, as a module on the CPU or on several devices must.',
    );
  }
  return device;
}

/** What SyncBatchNorm needs; throws for parameters elsewhere. */
export function requireGpu(parameters: readonly [string, Tensor][]): void {
  const found = parameters.find(([, parameter]) => !parameter.device.startsWith('cuda'));
  if (found === undefined) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `DistributedDataParallel: SyncBatchNorm layers work on a GPU alone, as in PyTorch, but '${found[0]}' is on ${found[1].device}; use ` +
      'BatchNorm on the CPU, whose statistics are those of each rank.',
  );
}

/** The same values with every tensor in them, and in arrays, plain objects and maps of them, on a device. */
export function onDevice<T extends unknown[]>(values: T, device: string): T {
  const { leaves, spec } = flattenTree(values);
  const moved = leaves.map((leaf) => (Tensor.isTensor(leaf) ? leaf.to(device as 'cuda') : leaf));
  return unflattenTree(moved, spec) as T;
}
