import { settingProblem } from '../config/source.js';
import { device as onCuda, deviceCount, getDeviceName } from '../cuda/index.js';
import { cudaRemedy } from '../hints.js';
import { launchedEnvironment } from '../slurm.js';
import { cudaIndex } from '../tensor/dtype.js';
import type { Device } from '../tensor/index.js';

const path = ['training', 'device'];

/**
 * The device that `training.device` means for this process: of several on a machine, each takes the GPU of its local rank. Throws
 * the error of a setting: DEVICE_UNAVAILABLE for a GPU that is not there, CONFIG_INVALID for one that cannot serve all ranks.
 */
export function deviceOf(setting: string): Device {
  if (setting === 'cpu') return 'cpu';
  const count = deviceCount();
  if (count === 0 && setting === 'auto') return 'cpu';
  if (count === 0) {
    const reason = `no CUDA device can be used here. Set it to auto or cpu, or see what nvidia-smi and npx aiforge doctor say; for CUDA: ${cudaRemedy}`;
    throw settingProblem(path, `it is ${setting}, and ${reason}.`, undefined, 'DEVICE_UNAVAILABLE');
  }
  const { LOCAL_RANK, LOCAL_WORLD_SIZE } = launchedEnvironment();
  const [rank, ranks] = [Number(LOCAL_RANK ?? 0), Number(LOCAL_WORLD_SIZE ?? 1)];
  const named = cudaIndex(setting);
  return `cuda:${named === undefined ? ownDevice(rank, ranks, count) : namedDevice(named, ranks, count)}`;
}

function namedDevice(index: number, ranks: number, count: number): number {
  if (ranks > 1) {
    throw settingProblem(
      path,
      `${ranks} processes train on this machine, and cuda:${index} is one GPU: set it to cuda, for one each.`,
    );
  }
  if (index < count) return index;
  const problem = `it is cuda:${index}, and this machine shows ${count}, numbered from 0.`;
  throw settingProblem(path, problem, undefined, 'DEVICE_UNAVAILABLE');
}

function ownDevice(rank: number, ranks: number, count: number): number {
  if (ranks <= count) return rank;
  // Launchers that show each rank its own GPU alone number it 0.
  if (count === 1 && process.env.CUDA_VISIBLE_DEVICES !== undefined) return 0;
  throw settingProblem(
    path,
    `${ranks} processes train on this machine, which shows ${count} GPU${count === 1 ? '' : 's'}, and each needs its own: ` +
      'start as many (aiforge-launch --nproc gpu), or set it to cpu.',
  );
}

/** Runs `body` with the device as the current one, if it is a GPU. */
export function onDevice<T>(device: Device, body: () => T): T {
  return device === 'cpu' ? body() : onCuda(device as `cuda:${number}`, body);
}

/** A device as a log names it: `cuda:0 (NVIDIA H100 80GB HBM3)`. */
export function describeDevice(device: Device): string {
  return device === 'cpu' ? device : `${device} (${getDeviceName(device as `cuda:${number}`)})`;
}
