import { isTask } from '../../slurm.js';
import type { NodeRange } from './nodes.js';

/** What a launch is told of its nodes. */
export interface NodePlaces {
  nproc: number | string;
  nodeRank?: number | undefined;
  standalone?: boolean | undefined;
}

/**
 * What does not go together where the environment has a rank and a world size, as a PyTorchJob sets them: of the pod, among all pods or all
 * their ranks. A launch does not read them.
 */
export function contradictionsOfPod(env: NodeJS.ProcessEnv, places: NodePlaces, nodes: NodeRange): string[] {
  const { RANK = '', WORLD_SIZE = '', MASTER_ADDR = 'HOST', MASTER_PORT = '29500' } = env;
  const [rank, worldSize] = [wholeNumber(RANK), wholeNumber(WORLD_SIZE)];
  const isOfOther = env.TORCHELASTIC_RUN_ID !== undefined || isTask(env) || places.standalone === true;
  if (isOfOther || rank === undefined || worldSize === undefined || worldSize < 2) return [];
  const given = `RANK is ${rank} and WORLD_SIZE ${worldSize} in the environment`;
  if (nodes.max === 1) {
    // A rank of the one pod that there is has as many as are started here.
    if (rank === 0 && worldSize === places.nproc && env.PET_NNODES !== undefined) return [];
    return [
      `${given}, as for one of several pods, and --nnodes is 1: this launch is a job of its own. For one job of all pods give --nnodes ${worldSize} ` +
        `--node-rank ${rank} --master-addr ${MASTER_ADDR} --master-port ${MASTER_PORT}, or --standalone where that is meant`,
    ];
  }
  const found: string[] = [];
  if (nodes.min === nodes.max && typeof places.nproc === 'number') {
    const ranks = nodes.max * places.nproc;
    if (worldSize !== nodes.max && worldSize !== ranks)
      found.push(
        `WORLD_SIZE is ${worldSize} in the environment, and this launch has ${nodes.max} nodes (--nnodes, PET_NNODES) of ${places.nproc} ` +
          `(--nproc, PET_NPROC_PER_NODE): its ranks get ${ranks}`,
      );
  }
  if (places.nodeRank !== undefined && rank !== places.nodeRank)
    found.push(
      `RANK is ${rank} in the environment, and this node's rank ${places.nodeRank} (--node-rank, PET_NODE_RANK): the latter counts`,
    );
  return found;
}

const wholeNumber = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);
