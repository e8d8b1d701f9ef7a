import { availableCores } from '../../cores.js';
import type { Settings } from './options.js';

/** What differs from one start of the whole group to the next. */
export interface Attempt {
  restartCount: number;
  masterPort: number;
  runId: string;
}

/** The environment of one rank, as torchrun sets it, so that Python's and Node's ranks read the same names. */
export function rankEnvironment(
  settings: Settings,
  attempt: Attempt,
  localRank: number,
  files: { error: string; run: string },
): NodeJS.ProcessEnv {
  const { nproc, nnodes, nodeRank, env } = settings;
  const rank = String(nodeRank * nproc + localRank);
  const worldSize = String(nnodes * nproc);
  // torchrun gives every rank one thread here; dividing the cores leaves none of them idle.
  const threads = String(Math.max(1, Math.floor(availableCores() / nproc)));
  return {
    ...(nproc > 1 ? { OMP_NUM_THREADS: threads } : {}),
    TORCH_NCCL_ASYNC_ERROR_HANDLING: '1',
    // What compiles TypeScript scripts would look for the result in a folder that all users share.
    JITI_FS_CACHE: 'false',
    ...env,
    RANK: rank,
    LOCAL_RANK: String(localRank),
    WORLD_SIZE: worldSize,
    LOCAL_WORLD_SIZE: String(nproc),
    GROUP_RANK: String(nodeRank),
    GROUP_WORLD_SIZE: String(nnodes),
    ROLE_RANK: rank,
    ROLE_WORLD_SIZE: worldSize,
    ROLE_NAME: 'default',
    MASTER_ADDR: settings.masterAddr,
    MASTER_PORT: String(attempt.masterPort),
    TORCHELASTIC_RESTART_COUNT: String(attempt.restartCount),
    TORCHELASTIC_MAX_RESTARTS: String(settings.maxRestarts),
    TORCHELASTIC_RUN_ID: attempt.runId,
    TORCHELASTIC_USE_AGENT_STORE: 'False',
    TORCHELASTIC_ERROR_FILE: files.error,
    AIFORGE_ERROR_FILE: files.error,
    // Where `aiforge train` says which run it is, for a later start of the same ranks.
    AIFORGE_RUN_FILE: files.run,
  };
}
