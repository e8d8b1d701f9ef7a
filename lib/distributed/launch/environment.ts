import { availableCores } from '../../cores.js';
import type { Attempt } from './attempt.js';
import type { Settings } from './settings.js';

/** The signals that the launcher passes on, as torchrun tells its ranks. */
const passedOn = 'SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1,SIGUSR2';

/** The environment of one rank, as torchrun sets it, so that Python's and Node's ranks read the same names. */
export function rankEnvironment(
  settings: Settings,
  attempt: Attempt,
  localRank: number,
  files: { error: string; run: string },
): NodeJS.ProcessEnv {
  const { nproc, env } = settings;
  // torchrun gives every rank one thread here; dividing the cores leaves none of them idle.
  const threads = String(Math.max(1, Math.floor(availableCores() / nproc)));
  return {
    ...(nproc > 1 ? { OMP_NUM_THREADS: threads } : {}),
    // Gloo would take the address of the host's name, which is 127.0.0.1 on many.
    ...(attempt.networkInterface === undefined ? {} : { GLOO_SOCKET_IFNAME: attempt.networkInterface }),
    TORCH_NCCL_ASYNC_ERROR_HANDLING: '1',
    // What compiles TypeScript scripts would look for the result in a folder that all users share.
    JITI_FS_CACHE: 'false',
    ...env,
    RANK: String(attempt.firstRank + localRank),
    LOCAL_RANK: String(localRank),
    WORLD_SIZE: String(attempt.worldSize),
    LOCAL_WORLD_SIZE: String(nproc),
    GROUP_RANK: String(attempt.groupRank),
    GROUP_WORLD_SIZE: String(attempt.groupWorldSize),
    ROLE_RANK: String(attempt.firstRoleRank + localRank),
    ROLE_WORLD_SIZE: String(attempt.roleWorldSize),
    ROLE_NAME: settings.role,
    MASTER_ADDR: attempt.masterAddr,
    MASTER_PORT: String(attempt.masterPort),
    TORCHELASTIC_RESTART_COUNT: String(attempt.restartCount),
    TORCHELASTIC_MAX_RESTARTS: String(settings.maxRestarts),
    TORCHELASTIC_RUN_ID: attempt.runId,
    TORCHELASTIC_SIGNALS_TO_HANDLE: passedOn,
    // Rank 0 serves the store: it needs no launcher that was there before it.
    TORCHELASTIC_USE_AGENT_STORE: 'False',
    TORCHELASTIC_ERROR_FILE: files.error,
    // What the launcher's guard knows a rank's descendants by, whatever session they are in.
    AIFORGE_ERROR_FILE: files.error,
    // Where `aiforge train` says which run it is, for a later start of the same ranks.
    AIFORGE_RUN_FILE: files.run,
  };
}
