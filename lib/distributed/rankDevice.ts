import * as cuda from '../cuda/index.js';
import { indexOf, type CudaDevice } from '../cuda/device.js';
import { AiforgeError } from '../errors.js';
import { kind, type Kind } from '../kinds.js';
import { cudaIndex } from '../tensor/dtype.js';
import { launchedEnvironment } from '../slurm.js';
import type { Backend } from './backend.js';

/** A CUDA device with its number: 0, or `'cuda:0'`. */
export const deviceIdKind: Kind<number | `cuda:${number}`> = kind(
  "a CUDA device with its number, such as 1 or 'cuda:1'",
  (value) => cudaIndex(value) !== undefined || (Number.isInteger(value) && (value as number) >= 0),
);

function refuse(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', problem);
}

/** The number of LOCAL_RANK's GPU; throws where there is no such variable or GPU. */
function deviceOfLocalRank(count: number, localRank: string | undefined): number {
  if (localRank === undefined || localRank === '') {
    // RANK counts the ranks of all machines: by it, ranks of the second would take what is not there, or two ranks one GPU.
    refuse(
      `This rank sees ${count} GPUs and LOCAL_RANK is not set, so that nothing says which is its own: pass deviceId, ` +
        'show each rank one GPU alone by CUDA_VISIBLE_DEVICES, or start the ranks with `aiforge-launch --nproc gpu`.',
    );
  }
  const device = Number(localRank);
  if (Number.isInteger(device) && device >= 0 && device < count) return device;
  return refuse(
    `LOCAL_RANK is '${localRank}', but this rank sees ${count} GPUs: start at most ${count} ranks here, as ` +
      '`aiforge-launch --nproc gpu` does, or pass deviceId.',
  );
}

/**
 * The GPU of a rank; null with Gloo, and where there is no GPU, which the group itself refuses. It is never chosen by RANK.
 */
export function rankDevice(
  deviceId: CudaDevice | null | undefined,
  backend: Backend,
  {
    count = cuda.deviceCount(),
    localRank = launchedEnvironment().LOCAL_RANK,
  }: { count?: number; localRank?: string } = {},
): number | null {
  const given = indexOf(deviceId);
  if (backend === 'gloo') {
    if (given !== null) refuse(`deviceId: ${deviceId} is for NCCL; backend 'gloo' has no GPU of its own.`);
    return null;
  }
  if (count === 0) return null;
  // Launchers that show each rank its own GPU alone number it 0.
  return given ?? (count === 1 ? 0 : deviceOfLocalRank(count, localRank));
}
