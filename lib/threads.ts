import { availableCores, cpuQuota } from './cores.js';
import { AiforgeError } from './errors.js';

const MOST = 1024;

/**
 * How many threads an operator gets until `setNumThreads` says otherwise; null for as many as LibTorch chooses.
 *
 * AIFORGE_NUM_THREADS comes first. LibTorch itself follows OMP_NUM_THREADS, MKL_NUM_THREADS and the process's affinity, but
 * knows nothing of CPU quotas: under one it gets no more threads than there are cores for. `root` is as for `availableCores`.
 *
 * @throws AiforgeError CONFIG_INVALID for a value of AIFORGE_NUM_THREADS that is no number of threads.
 */
export function threadsAtStart(env: NodeJS.ProcessEnv, chosen: () => number, root = '/'): number | null {
  const given = env.AIFORGE_NUM_THREADS ?? '';
  if (given !== '') return parse(given);
  if (isCount(env.OMP_NUM_THREADS) || isCount(env.MKL_NUM_THREADS) || cpuQuota(root) === Infinity) return null;
  return Math.min(chosen(), availableCores(root));
}

function parse(given: string): number {
  const threads = /^\d+$/.test(given) ? Number(given) : 0;
  if (threads >= 1 && threads <= MOST) return threads;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `AIFORGE_NUM_THREADS: got '${given}', expected a whole number from 1 to ${MOST}. ` +
      'Set it to the threads that one operator may use, or unset it to use the cores that this process has.',
  );
}

/** OpenMP, which takes lists too, ignores anything else. */
const isCount = (value: string | undefined): boolean => /^\s*[1-9]/.test(value ?? '');
