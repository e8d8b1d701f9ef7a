import { availableCores } from '../../cores.js';
import { AiforgeError } from '../../errors.js';
import { oneOf } from '../../kinds.js';

/** As many ranks as the machine has of something, as torchrun's `--nproc-per-node`. */
export type RankCount = 'gpu' | 'cpu' | 'auto';

export const rankCountKind = oneOf<RankCount>('gpu', 'cpu', 'auto');

interface Cuda {
  deviceCount(): number;
  isNcclAvailable(): boolean;
}

/** The addon, which a launch of a given number does without. */
function loadCuda(): Cuda {
  const { deviceCount } = require('../../cuda/index.js') as typeof import('../../cuda/index.js');
  const { isNcclAvailable } = require('../backend.js') as typeof import('../backend.js');
  return { deviceCount, isNcclAvailable };
}

/**
 * How many ranks that is here. The GPUs are counted, not used: the launcher keeps no memory on any. Throws LAUNCH_FAILED where there
 * are none for `'gpu'`.
 */
export function countRanks(
  count: RankCount,
  { cores = availableCores, cuda = loadCuda }: { cores?: () => number; cuda?: () => Cuda } = {},
): number {
  if (count === 'cpu') return cores();
  const { deviceCount, isNcclAvailable } = cuda();
  const gpus = deviceCount();
  if (gpus > 0) return gpus;
  if (count === 'auto') return cores();
  throw new AiforgeError(
    'LAUNCH_FAILED',
    isNcclAvailable()
      ? 'nproc is gpu, and no GPU can be used here: look at nvidia-smi and CUDA_VISIBLE_DEVICES, or give a number.'
      : 'nproc is gpu, and this build of aiforge is for the CPU: set AIFORGE_FLAVOUR=cuda when it is installed, or give a number.',
  );
}
