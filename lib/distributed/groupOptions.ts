import { anything, boolean, int32From, listOf, optional, orNull, size, string, tuple, whole } from '../kinds.js';
import { signature } from '../signature.js';
import { tensorKind } from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { backendKind, type Backend } from './backend.js';
import { callOptions, type CallOptions } from './collectives/calls.js';
import { ncclOptionsKind, type NcclOptions } from './ncclOptions.js';
import { operationKind } from './p2pOp.js';
import { deviceIdKind } from './rankDevice.js';
import { reduceOpKind, type ReduceOp } from './reduceOp.js';
import { storeKind } from './stores/store.js';
import { timeoutKind } from './timeouts.js';

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

/** What a collective that reduces takes. */
export interface ReduceOptions extends CallOptions {
  /** Default: `sum`. */
  op?: ReduceOp;
}

/** What a send or receive takes. */
export interface MessageOptions extends CallOptions {
  /** Tells messages between the same ranks apart. Default: 0. */
  tag?: number;
}

export interface BarrierOptions extends CallOptions {
  /** NCCL: the one GPU to wait on. Default: that of the group, else the current one. */
  deviceIds?: readonly [number | `cuda:${number}`];
}

export const barrierOptions = { deviceIds: tuple(deviceIdKind), ...callOptions };

export const barrierTakes = signature<BarrierOptions>({}, barrierOptions);

export interface MonitoredBarrierOptions extends CallOptions {
  /** With a rank of Python's in the group: names all ranks that are missing, and not the first alone. Default: false. */
  waitAllRanks?: boolean;
}

export const monitoredBarrierTakes = signature<MonitoredBarrierOptions>({}, { waitAllRanks: boolean, ...callOptions });

export interface AllToAllSingleOptions extends CallOptions {
  /** How many rows of `output` come from each rank. Default: the same from all. */
  outputSplitSizes?: readonly number[];
  /** How many rows of `input` go to each rank. Default: the same to all. */
  inputSplitSizes?: readonly number[];
}

export const allToAllSingleTakes = signature<AllToAllSingleOptions>(
  { output: tensorKind, input: tensorKind },
  { outputSplitSizes: listOf(size), inputSplitSizes: listOf(size), ...callOptions },
);

const tensorList = listOf(tensorKind);
const reduceOptions = { op: reduceOpKind, ...callOptions };
const messageOptions = { tag: whole, ...callOptions };

export const broadcastTakes = signature<CallOptions>({ tensor: tensorKind, src: whole }, callOptions);
export const gatherTakes = signature<CallOptions>({ tensor: tensorKind, dst: whole }, callOptions);
export const allGatherTakes = signature<CallOptions>({ tensor: tensorKind }, callOptions);
export const scatterTakes = signature<CallOptions>(
  { output: tensorKind, tensors: orNull(tensorList), src: whole },
  callOptions,
);

export const reduceTakes = signature<ReduceOptions>({ tensor: tensorKind }, reduceOptions);
export const reduceToTakes = signature<ReduceOptions>({ tensor: tensorKind, dst: whole }, reduceOptions);
export const reduceScatterTakes = signature<ReduceOptions>({ output: tensorKind, tensors: tensorList }, reduceOptions);
export const allReduceSyncTakes = signature<{ op?: ReduceOp }>({ tensor: tensorKind }, { op: reduceOpKind });

export interface AllToAllOptions extends CallOptions {
  /** Filled with what the ranks send. Default: new ones, of the shapes of what this rank sends them. */
  outputs?: readonly Tensor[];
}

export const allToAllTakes = signature<AllToAllOptions>(
  { tensors: tensorList },
  { outputs: tensorList, ...callOptions },
);
export const manyTake = signature<ReduceOptions>({ tensors: tensorList }, reduceOptions);

export const intoTakes = signature<CallOptions>({ output: tensorKind, input: tensorKind }, callOptions);
export const intoManyTakes = signature<CallOptions>({ outputs: tensorList, inputs: tensorList }, callOptions);
export const scatterIntoTakes = signature<ReduceOptions>({ output: tensorKind, input: tensorKind }, reduceOptions);
export const scatterManyTakes = signature<ReduceOptions>({ outputs: tensorList, inputs: tensorList }, reduceOptions);

export const batchTakes = signature<CallOptions>({ operations: listOf(operationKind) }, callOptions);
export const recordTakes = signature<{ onlyActive?: boolean }>({}, { onlyActive: boolean });

export const sendTakes = signature<MessageOptions>({ tensor: tensorKind, dst: whole }, messageOptions);
export const recvTakes = signature<MessageOptions>({ tensor: tensorKind, src: orNull(whole) }, messageOptions);

export const bytesTakes = signature<CallOptions>({ bytes: anything, src: whole }, callOptions);
export const objectTakes = signature<CallOptions>({ value: optional(anything), src: whole }, callOptions);
export const allObjectsTakes = signature<CallOptions>({ value: optional(anything) }, callOptions);
export const objectToTakes = signature<CallOptions>({ value: optional(anything), dst: whole }, callOptions);
export const objectListTakes = signature<CallOptions>({ values: orNull(listOf(anything)), src: whole }, callOptions);
export const sendObjectTakes = signature<MessageOptions>({ value: optional(anything), dst: whole }, messageOptions);
export const recvObjectTakes = signature<MessageOptions>({ src: whole }, messageOptions);

export const createTakes = signature<ProcessGroupOptions>(
  { store: storeKind },
  {
    rank: int32From(0),
    worldSize: int32From(1),
    backend: backendKind,
    name: string,
    timeoutMs: timeoutKind,
    deviceId: orNull(deviceIdKind),
    ncclOptions: ncclOptionsKind,
  },
  ['rank', 'worldSize'],
);
