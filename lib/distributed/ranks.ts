import { kind } from '../kinds.js';
import { signature } from '../signature.js';
import { launchedEnvironment } from '../slurm.js';
import { cudaIndex, type Device } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  destroyProcessGroup,
  initProcessGroup,
  isInitialized,
  type InitProcessGroupOptions,
} from './initProcessGroup.js';
import { DistributedDataParallel } from './ddp/distributedDataParallel.js';
import type { GradientBuckets, UnusedAdvice } from './ddp/openReducer.js';
import type { CommHook, PowerSGDOptions } from './ddp/commHooks.js';
import type { DistributedDataParallelOptions, TrainableModule } from './ddp/options.js';
import { groupKind, type ProcessGroup } from './processGroup.js';
import { defaultProcessGroup } from './world.js';

const unusedAdvice: UnusedAdvice = {
  searched:
    'With training.findUnusedParameters, what trainingStep returns must be tensors, arrays, plain objects and maps.',
  otherwise: 'Set training.findUnusedParameters=true, or give the model only parameters that every trainingStep uses.',
};

interface ParallelizeOptions extends DistributedDataParallelOptions {
  gradientBuckets?: GradientBuckets;
  commHook?: CommHook;
  powerSGD?: PowerSGDOptions;
}

const groupTakes = signature({ group: groupKind });

/** The ranks of a process group, in the form in which the framework's `Orchestrator` takes them. */
export class GroupRanks {
  constructor(private readonly group: ProcessGroup) {
    groupTakes.check('GroupRanks', arguments);
  }

  get rank(): number {
    return this.group.rank;
  }

  get worldSize(): number {
    return this.group.worldSize;
  }

  barrier(): Promise<void> {
    return this.group.barrier();
  }

  broadcastBytes(bytes: Uint8Array | null): Promise<Uint8Array> {
    return this.group.broadcastBytes(bytes, 0);
  }

  async sum(values: Tensor): Promise<Tensor> {
    await this.group.allReduce(values, { op: 'sum' });
    return values;
  }

  gather(values: Tensor): Promise<Tensor[]> {
    return this.group.allGather(values);
  }

  async parallelize(
    model: TrainableModule,
    { commHook, powerSGD, ...options }: ParallelizeOptions = {},
  ): Promise<DistributedDataParallel<TrainableModule>> {
    const ddp = await DistributedDataParallel.open(model, { ...options, group: this.group }, unusedAdvice);
    if (commHook !== undefined) ddp.registerCommHook(commHook, powerSGD);
    return ddp;
  }
}

export interface JoinOptions {
  /** Where this rank trains: on a GPU, such as `'cuda:0'`, gradients go by NCCL. Default: `'cpu'`. */
  device?: Device;
}

const rankDevice = kind<Device>(
  "'cpu', or a GPU with its number, such as 'cuda:0'",
  (value) => value === 'cpu' || cudaIndex(value) !== undefined,
);
const joinTakes = signature<JoinOptions>({}, { device: rankDevice });

/**
 * Joins the ranks that the launcher started, to train an experiment together; `leave` ends it. Undefined in a process that no
 * launcher started. A group that is there already is joined as it is, and left to who made it.
 *
 * @example
 * import { joinRanks } from 'aiforge/distributed';
 * const joined = await joinRanks(); // undefined here; two ranks under `aiforge-launch --nproc 2`
 */
export async function joinRanks(
  options: JoinOptions = {},
): Promise<{ ranks: GroupRanks; leave: () => Promise<void> } | undefined> {
  joinTakes.check('joinRanks', arguments);
  const isMade = isInitialized();
  if (!isMade && launchedEnvironment().RANK === undefined) return undefined;
  const group = isMade ? defaultProcessGroup() : await initProcessGroup(groupOf(options.device));
  await group.connect();
  return { ranks: new GroupRanks(group), leave: isMade ? () => Promise.resolve() : destroyProcessGroup };
}

function groupOf(device: Device = 'cpu'): InitProcessGroupOptions {
  const index = cudaIndex(device);
  return index === undefined ? {} : { backend: 'cpu:gloo,cuda:nccl', deviceId: index };
}
