import { flattenTree, unflattenTree } from '../../autograd/pytree.js';
import { indexOf } from '../../cuda/device.js';
import { AiforgeError } from '../../errors.js';
import { boolean, kind, number, tuple } from '../../kinds.js';
import { signature } from '../../signature.js';
import { Tensor } from '../../tensor/tensor.js';
import { groupKind, type ProcessGroup } from '../processGroup.js';
import { deviceIdKind } from '../rankDevice.js';

/** What a module must have to be trained on several ranks: every `nn.Module` has it. */
export interface TrainableModule {
  namedParameters(): Iterable<[string, Tensor]>;
  buffers(): Iterable<Tensor>;
  forward(...args: never[]): unknown;
}

export interface DistributedDataParallelOptions {
  /**
   * The one GPU that the module is on, such as `[1]` or `['cuda:1']`; `forward` then moves its tensors there. INVALID_ARGUMENT for a
   * module that is elsewhere. Default: the module's device, and arguments as they are.
   */
  deviceIds?: readonly [number | `cuda:${number}`];
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
  /** Gradients travel in buckets of about this size, in MiB. Default: 25, and 1 for the first. */
  bucketCapMb?: number;
  /**
   * Lets a step leave parameters out, and a loss leave outputs out that are tensors or lie in arrays, plain objects and maps;
   * `forward` then returns copies of these. Default: false.
   */
  findUnusedParameters?: boolean;
  /** Gives every rank the buffers of rank 0 before the first forward pass and the one after each averaged one. Default: true. */
  broadcastBuffers?: boolean;
  /** Lets gradients be views of the buckets, which saves their memory. Default: false. */
  gradientAsBucketView?: boolean;
}

const trainableKind = kind<TrainableModule>(
  'a module',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as TrainableModule).namedParameters === 'function' &&
    typeof (value as TrainableModule).forward === 'function',
);

export const ddpTakes = signature<DistributedDataParallelOptions>(
  { module: trainableKind },
  {
    deviceIds: tuple(deviceIdKind),
    group: groupKind,
    bucketCapMb: number,
    findUnusedParameters: boolean,
    broadcastBuffers: boolean,
    gradientAsBucketView: boolean,
  },
);

const mebibyte = 1024 * 1024;

/** The first bucket is small by default, so that averaging begins early; a cap that was asked for holds for all. */
export function bucketBytes(capMb: number | undefined): [first: number, others: number] {
  if (capMb === undefined) return [mebibyte, 25 * mebibyte];
  const bytes = Math.trunc(capMb * mebibyte);
  return [bytes, bytes];
}

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

/** The same values with every tensor in them, and in arrays, plain objects and maps of them, on a device. */
export function onDevice<T extends unknown[]>(values: T, device: string): T {
  const { leaves, spec } = flattenTree(values);
  const moved = leaves.map((leaf) => (Tensor.isTensor(leaf) ? leaf.to(device as 'cuda') : leaf));
  return unflattenTree(moved, spec) as T;
}

/** What an error about parameters without a gradient advises, by whether they are searched for. */
export interface UnusedAdvice {
  searched: string;
  otherwise: string;
}

export const unusedAdvice: UnusedAdvice = {
  searched:
    'With findUnusedParameters, what forward returns must be tensors, arrays, plain objects and maps; a forward pass ' +
    'without a backward pass belongs in noGrad.',
  otherwise:
    'Pass { findUnusedParameters: true }, or take the unused parameters out of the module; a forward pass without a ' +
    'backward pass belongs in noGrad.',
};
