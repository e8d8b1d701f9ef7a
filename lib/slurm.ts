import { AiforgeError } from './errors.js';

/** Where Lightning and others that start under Slurm have rank 0 listen, by the job's number. */
const firstPort = 15_000;
const ports = 10_000;
/** Has nothing in common with the number of ports, so that no two steps of a job meet, and those of neighbouring jobs seldom. */
const portsBetweenSteps = 1_009;

/** The first host of Slurm's short form, `node[003-010,12],login`; undefined for an empty one. */
export function firstHost(nodelist: string): string | undefined {
  const [, name = '', numbers, rest = ''] = /^([^[,]*)(?:\[([^\]]*)\])?([^,]*)/.exec(nodelist.trim()) ?? [];
  const [number = ''] = (numbers ?? '').split(/[-,]/);
  const host = `${name}${number}${rest}`;
  return host === '' ? undefined : host;
}

/** Whether srun started this process: what a batch script itself starts is one process, whatever the job's number of tasks. */
export function isTask(env: NodeJS.ProcessEnv): boolean {
  const ofStep = env.SLURM_STEP_ID ?? env.SLURM_STEP_NUM_TASKS ?? env.SLURM_LAUNCH_NODE_IPADDR;
  return env.SLURM_PROCID !== undefined && ofStep !== undefined;
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string): number {
  const value = env[name] ?? '';
  if (/^\d+$/.test(value)) return Number(value);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name} is '${value}' in the environment; expected a whole number, as srun sets it.`,
  );
}

/** Where rank 0 of a step listens: the step 0 of a job by the job's last four digits, as Lightning has it, and each other step elsewhere. */
function portOf(job: string, step: string | undefined): number {
  const ofJob = Number(job.slice(-4).replace(/\D/g, ''));
  const ofStep = /^\d+$/.test(step ?? '') ? Number(step) * portsBetweenSteps : 0;
  return firstPort + ((ofJob + ofStep) % ports);
}

/** Of `2(x3),1`, how many tasks the node of a number has. */
function tasksOf(perNode: string, node: number): number | undefined {
  const counts = perNode.split(',').flatMap((part) => {
    const [, count = '', times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return new Array<number>(Math.min(Number(times), 65_536)).fill(Number(count));
  });
  return counts[node];
}

/**
 * The environment with torchrun's variables that Slurm's srun leaves out, `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `LOCAL_WORLD_SIZE`,
 * `MASTER_ADDR` and `MASTER_PORT`, out of its own: rank 0 is on the first host of the step's list. What is set already stays; a rank of
 * a launcher under srun has all of them. Throws INVALID_ARGUMENT where the two contradict each other.
 */
export function withSlurm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!isTask(env) || env.TORCHELASTIC_RUN_ID !== undefined) return env;
  const rank = wholeNumber(env, 'SLURM_PROCID');
  const worldName = env.SLURM_STEP_NUM_TASKS === undefined ? 'SLURM_NTASKS' : 'SLURM_STEP_NUM_TASKS';
  const worldSize = wholeNumber(env, worldName);
  checkAgainst(env, rank, worldSize, worldName);
  const nodelist = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST ?? '';
  const masterAddr = firstHost(nodelist) ?? env.SLURM_LAUNCH_NODE_IPADDR;
  const job = env.SLURM_JOB_ID ?? env.SLURM_JOBID ?? '';
  const perNode = env.SLURM_STEP_TASKS_PER_NODE ?? env.SLURM_TASKS_PER_NODE;
  const localWorldSize = perNode === undefined ? undefined : tasksOf(perNode, Number(env.SLURM_NODEID ?? 0));
  return {
    RANK: String(rank),
    WORLD_SIZE: String(worldSize),
    ...(env.SLURM_LOCALID === undefined ? {} : { LOCAL_RANK: env.SLURM_LOCALID }),
    ...(localWorldSize === undefined ? {} : { LOCAL_WORLD_SIZE: String(localWorldSize) }),
    ...(masterAddr === undefined ? {} : { MASTER_ADDR: masterAddr }),
    ...(/\d$/.test(job) ? { MASTER_PORT: String(portOf(job, env.SLURM_STEP_ID)) } : {}),
    ...env,
  };
}

function checkAgainst(
  { RANK, WORLD_SIZE }: NodeJS.ProcessEnv,
  rank: number,
  worldSize: number,
  worldName: string,
): void {
  // A launcher in each task gives its ranks both, of a world that is several times as large.
  const isOwn = RANK === undefined ? Number(WORLD_SIZE) === worldSize : Number(WORLD_SIZE) % worldSize === 0;
  const contradiction =
    WORLD_SIZE !== undefined && !isOwn
      ? `WORLD_SIZE is ${WORLD_SIZE}, and srun started ${worldSize} tasks (${worldName})`
      : RANK !== undefined && (WORLD_SIZE === undefined || Number(WORLD_SIZE) === worldSize) && Number(RANK) !== rank
        ? `RANK is ${RANK}, and srun says that this is task ${rank} (SLURM_PROCID)`
        : undefined;
  if (contradiction === undefined) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${contradiction}: unset RANK and WORLD_SIZE, which the script that calls srun sets for all tasks alike, or start srun with as many tasks.`,
  );
}

/** The environment that a launcher, or srun in its place, gave this process. Throws INVALID_ARGUMENT as `withSlurm`. */
export function launchedEnvironment(): NodeJS.ProcessEnv {
  return withSlurm(process.env);
}
