import { anything, boolean, string, orNull, positive, whole, size, count, listOf, tuple } from '../kinds.js';
import { signature } from '../signature.js';
import { tensorKind } from '../tensor/kinds.js';
import { backendKind, type Backend } from './backend.js';
import { ncclOptionsKind, type NcclOptions } from './ncclOptions.js';
import { operationKind } from './p2pOp.js';
import { deviceIdKind } from './rankDevice.js';
import { reduceOpKind, type ReduceOp } from './reduceOp.js';

export interface ProcessGroupOptions {
  rank: number;
  worldSize: number;
  /** Default: `gloo`. */
  backend?: Backend;
  /** Tells groups on one store apart; the same on all ranks. Default: `0`, the name of Python's default group. */
  name?: string;
  /** How long a collective waits for the other ranks. Default: 30 minutes. */
  timeoutMs?: number;
  /** NCCL: this rank's GPU, such as 1 or `'cuda:1'`, connected at once. Default: none, and connected by the first collective. */
  deviceId?: number | `cuda:${number}` | null;
  /** NCCL's own options. Default: NCCL's. */
  ncclOptions?: NcclOptions;
}

export interface BarrierOptions {
  /** NCCL: the one GPU to wait on. Default: that of the group, else the current one. */
  deviceIds?: readonly [number | `cuda:${number}`];
  /** How long to wait for the other ranks. Default: as the group. */
  timeoutMs?: number;
}

export const barrierOptions = { deviceIds: tuple(deviceIdKind), timeoutMs: positive };

export const barrierTakes = signature<BarrierOptions>({}, barrierOptions);

export interface MonitoredBarrierOptions {
  /** How long rank 0 waits for the others. Default: as the group. */
  timeoutMs?: number;
  /** Names all ranks that are missing, and not the first alone. Default: false. */
  waitAllRanks?: boolean;
}

export const monitoredBarrierTakes = signature<MonitoredBarrierOptions>(
  {},
  { timeoutMs: positive, waitAllRanks: boolean },
);

export interface AllToAllSingleOptions {
  /** How many rows of `output` come from each rank. Default: the same from all. */
  outputSplitSizes?: readonly number[];
  /** How many rows of `input` go to each rank. Default: the same to all. */
  inputSplitSizes?: readonly number[];
}

export const allToAllSingleTakes = signature<AllToAllSingleOptions>(
  { output: tensorKind, input: tensorKind },
  { outputSplitSizes: listOf(size), inputSplitSizes: listOf(size) },
);

export const tensorList = listOf(tensorKind);

export const allToAllTakes = signature({ tensors: tensorList });
export const manyTake = signature<{ op?: ReduceOp }>({ tensors: tensorList }, { op: reduceOpKind });

export const intoTakes = signature({ output: tensorKind, input: tensorKind });
export const intoManyTakes = signature({ outputs: tensorList, inputs: tensorList });
export const scatterIntoTakes = signature<{ op?: ReduceOp }>(
  { output: tensorKind, input: tensorKind },
  { op: reduceOpKind },
);
export const scatterManyTakes = signature<{ op?: ReduceOp }>(
  { outputs: tensorList, inputs: tensorList },
  { op: reduceOpKind },
);

export const batchTakes = signature({ operations: listOf(operationKind) });
export const recordTakes = signature<{ onlyActive?: boolean }>({}, { onlyActive: boolean });

export const sendTakes = signature<{ tag?: number }>({ tensor: tensorKind, rank: whole }, { tag: whole });

export const reduceScatterTakes = signature<{ op?: ReduceOp }>(
  { output: tensorKind, tensors: anything },
  { op: reduceOpKind },
);

export const reduceToTakes = signature<{ op?: ReduceOp }>({ tensor: tensorKind, dst: whole }, { op: reduceOpKind });

export const reduceTakes = signature<{ op?: ReduceOp }>({ tensor: tensorKind }, { op: reduceOpKind });

export const createTakes = signature<ProcessGroupOptions>(
  { store: anything },
  {
    rank: size,
    worldSize: count,
    backend: backendKind,
    name: string,
    timeoutMs: positive,
    deviceId: orNull(deviceIdKind),
    ncclOptions: ncclOptionsKind,
  },
  ['rank', 'worldSize'],
);
