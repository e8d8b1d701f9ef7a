import { firstHost, isTask } from '../../slurm.js';

/** What does not go together where srun starts launchers, in words; each launcher is to be one a node. */
export function contradictionsOfLaunch(
  env: NodeJS.ProcessEnv,
  nproc: number | string,
  nnodes: { min: number; max: number },
): string[] {
  if (!isTask(env)) return [];
  const nodes = Number(env.SLURM_STEP_NUM_NODES ?? env.SLURM_NNODES ?? 1);
  const tasks = Number(env.SLURM_STEP_NUM_TASKS ?? env.SLURM_NTASKS ?? 1);
  const found: string[] = [];
  if (tasks > nodes) {
    found.push(
      `srun started ${tasks} tasks on ${nodes === 1 ? 'one node' : `${nodes} nodes`}, and each is a launcher of ${nproc} ranks: give srun --ntasks-per-node=1, ` +
        'or start the script itself, srun node SCRIPT, without aiforge-launch',
    );
  }
  if (nodes > 1 && (nodes < nnodes.min || nodes > nnodes.max)) {
    const head = firstHost(env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? '') ?? 'HOST';
    const asked = nnodes.min === nnodes.max ? nnodes.max : `${nnodes.min}:${nnodes.max}`;
    found.push(
      `srun has ${nodes} nodes (SLURM_NNODES), and --nnodes is ${asked}: for one job on all of them give --nnodes ${nodes} --rdzv-endpoint ${head}:29400`,
    );
  }
  return found;
}
