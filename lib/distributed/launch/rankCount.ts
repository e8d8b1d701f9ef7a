import { availableCores } from '../../cores.js';
import { AiforgeError } from '../../errors.js';
import { cudaRemedy } from '../../hints.js';
import { oneOf } from '../../kinds.js';

/** As many ranks as the machine has of something, as torchrun's `--nproc-per-node`. */
export type RankCount = 'gpu' | 'cpu' | 'auto';

export const rankCountKind = oneOf<RankCount>('gpu', 'cpu', 'auto');

interface Gpus {
  count: number;
  /** Whether this build could use one. */
  hasFlavour: boolean;
}

/** Loads the addon, which a launch of a given number does without. */
async function seenGpus(): Promise<Gpus> {
  const [{ deviceCount }, { isNcclAvailable }] = await Promise.all([
    import('../../cuda/index.js'),
    import('../backend.js'),
  ]);
  return { count: deviceCount(), hasFlavour: isNcclAvailable() };
}

/**
 * How many ranks that is here. The GPUs are counted, not used: the launcher keeps no memory on any. Throws LAUNCH_FAILED where there
 * are none for `'gpu'`.
 */
export async function countRanks(
  what: RankCount,
  {
    name = 'nproc',
    cores = availableCores,
    gpus = seenGpus,
  }: { name?: string; cores?: () => number; gpus?: () => Gpus | Promise<Gpus> } = {},
): Promise<number> {
  if (what === 'cpu') return cores();
  const { count, hasFlavour } = await gpus();
  if (count > 0) return count;
  if (what === 'auto') return cores();
  throw new AiforgeError(
    'LAUNCH_FAILED',
    hasFlavour
      ? `${name} is gpu, and no GPU can be used here: look at nvidia-smi and CUDA_VISIBLE_DEVICES, or give a number.`
      : `${name} is gpu, and this build of aiforge is for the CPU: give a number, or get CUDA: ${cudaRemedy}.`,
  );
}
