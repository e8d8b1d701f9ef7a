import { native, type Handle, type Handles } from '../native.js';

// Objects of the addon: JavaScript can only hand them back.
declare const kind: unique symbol;
export interface NativeStore {
  readonly [kind]: 'Store';
}
export interface NativeGroup {
  readonly [kind]: 'ProcessGroup';
}
export interface NativeReducer {
  readonly [kind]: 'Reducer';
}

/** A reduction's name, or the factor of `premulSum`. */
type NativeOp = string | number;

/** What `openReducer` is told beside the module. */
export interface NativeReducerOptions {
  moduleName: string;
  firstBucketBytes: number;
  bucketBytes: number;
  bucketBytesList: readonly number[];
  findUnusedParameters: boolean;
  gradientAsBucketView: boolean;
  skipAllReduceUnusedParams: boolean;
  batchedGradCopy: boolean;
  staticGraph: boolean;
  broadcastBuffers: boolean;
  hasSyncBatchNorm: boolean;
  initSync: boolean;
  device: number | null;
  unusedAdvice: string;
  /** The buckets to begin with, by parameters' names; empty for those of a first step. */
  buckets: readonly (readonly string[])[];
}

/** A collective that a group remembers. */
export interface NativeCollective {
  /** Its `collective_seq_id` of c10d's flight recorder. */
  recorded: number;
  /** Its place among the group's, from 1. */
  number: number;
  isCompleted: boolean;
  text: string;
}

/** How a forward pass begins. */
export type NativeBeginning = [
  reducer: NativeReducer,
  group: NativeGroup,
  isRecorded: boolean,
  syncs: boolean,
  buffers: Handles,
  joins: boolean,
  dividesByInitialSize: boolean,
  throwsOnEarlyEnd: boolean,
];

/** A collective: its number, by which its line is known, the time for it, and its own arguments. */
type Call<Own extends unknown[]> = [group: NativeGroup, call: number, timeoutMs: number | null, ...own: Own];

/** The part of the addon that binds c10d. What returns a promise waits on a thread of its own. */
interface NativeDistributed {
  openTcpStore(
    host: string,
    port: number,
    worldSize: number | null,
    isServer: boolean,
    timeoutMs: number,
  ): Promise<NativeStore>;
  openFileStore(path: string, worldSize: number, timeoutMs: number): Promise<NativeStore>;
  openHashStore(timeoutMs: number): NativeStore;
  openPrefixStore(prefix: string, store: NativeStore): NativeStore;
  closeStore(store: NativeStore): Promise<void>;
  storeSet(store: NativeStore, key: string, value: Uint8Array): Promise<void>;
  storePeek(store: NativeStore, key: string): Promise<Uint8Array | null>;
  storeGet(store: NativeStore, key: string): Promise<Uint8Array>;
  storeMultiGet(store: NativeStore, keys: readonly string[]): Promise<Uint8Array[]>;
  storeAdd(store: NativeStore, key: string, amount: number): Promise<number>;
  storeAppend(store: NativeStore, key: string, value: Uint8Array): Promise<void>;
  storeCompareSet(store: NativeStore, key: string, expected: Uint8Array, desired: Uint8Array): Promise<Uint8Array>;
  storeWait(store: NativeStore, keys: readonly string[], timeoutMs: number | null): Promise<void>;
  storeCheck(store: NativeStore, keys: readonly string[]): Promise<boolean>;
  storeDeleteKey(store: NativeStore, key: string): Promise<boolean>;
  storeNumKeys(store: NativeStore): Promise<number>;
  storeListKeys(store: NativeStore): Promise<string[]>;
  storeQueuePush(store: NativeStore, key: string, value: Uint8Array): Promise<void>;
  /** Null where the queue is empty. */
  storeQueueTake(store: NativeStore, key: string): Promise<Uint8Array | null>;
  storeQueuePop(store: NativeStore, key: string, timeoutMs: number | null): Promise<Uint8Array>;
  storeQueueLength(store: NativeStore, key: string): Promise<number>;
  storePort(store: NativeStore): number;

  openProcessGroup(
    store: NativeStore,
    backend: string,
    name: string,
    rank: number,
    worldSize: number,
    timeoutMs: number,
    device: number | null,
    nccl: Readonly<Record<string, boolean | number | string>> | null,
    joinTimeoutMs: number,
    address: string | null,
  ): Promise<NativeGroup>;
  closeProcessGroup(group: NativeGroup): Promise<void>;
  abortProcessGroup(group: NativeGroup): Promise<void>;
  flightRecord(isNccl: boolean, onlyActive: boolean): string;
  /** The last collectives over Gloo, the newest last; none of a group with a rank of Python's. */
  collectiveHistory(group: NativeGroup): NativeCollective[];
  /** `source` gives the user's line of a call, by its number. */
  setLineSource(source: (call: number) => string | undefined): void;
  broadcast(...call: Call<[tensor: Handle, src: number]>): Promise<void>;
  allReduce(...call: Call<[tensor: Handle, op: NativeOp]>): Promise<void>;
  reduce(...call: Call<[tensor: Handle, dst: number, op: NativeOp]>): Promise<void>;
  allGather(...call: Call<[outputs: Handles, input: Handle]>): Promise<void>;
  gather(...call: Call<[outputs: Handles, input: Handle, dst: number]>): Promise<void>;
  scatter(...call: Call<[output: Handle, inputs: Handles, src: number]>): Promise<void>;
  reduceScatter(...call: Call<[output: Handle, inputs: Handles, op: NativeOp]>): Promise<void>;
  allToAll(...call: Call<[outputs: Handles, inputs: Handles]>): Promise<void>;
  allReduceCoalesced(...call: Call<[tensors: Handles, op: NativeOp]>): Promise<void>;
  allGatherIntoTensor(...call: Call<[output: Handle, input: Handle]>): Promise<void>;
  allGatherIntoTensorCoalesced(...call: Call<[outputs: Handles, inputs: Handles]>): Promise<void>;
  reduceScatterTensor(...call: Call<[output: Handle, input: Handle, op: NativeOp]>): Promise<void>;
  reduceScatterTensorCoalesced(...call: Call<[outputs: Handles, inputs: Handles, op: NativeOp]>): Promise<void>;
  allToAllSingle(
    ...call: Call<
      [output: Handle, input: Handle, outputSplitSizes: readonly number[], inputSplitSizes: readonly number[]]
    >
  ): Promise<void>;
  batchIsendIrecv(
    ...call: Call<[tensors: Handles, isSend: readonly number[], peers: readonly number[], tags: readonly number[]]>
  ): Promise<void>;
  barrier(...call: Call<[device: number | null]>): Promise<void>;
  monitoredBarrier(...call: Call<[waitAllRanks: boolean]>): Promise<void>;
  send(...call: Call<[tensor: Handle, dst: number, tag: number]>): Promise<void>;
  /** The rank that sent. */
  recv(...call: Call<[tensor: Handle, src: number | null, tag: number]>): Promise<number>;
  allReduceSync(...call: Call<[tensor: Handle, op: NativeOp]>): void;
  allGatherSync(...call: Call<[outputs: Handles, input: Handle]>): void;
  emptyLike(model: Handle, count: number): Handle[];
  /** Bytes for each rank, or null; what has come from each of the sources. */
  exchangeObjects(
    ...call: Call<
      [name: string, root: number | null, outgoing: readonly (Uint8Array | null)[], sources: readonly number[]]
    >
  ): Promise<Uint8Array[]>;
  /** Sends the bytes, or receives some where they are null. */
  exchangeObject(
    ...call: Call<[name: string, peer: number, tag: number, bytes: Uint8Array | null]>
  ): Promise<Uint8Array[]>;

  openReducer(
    group: NativeGroup,
    parameters: Handles,
    names: readonly string[],
    sparseOnes: Handles,
    buffers: Handles,
    options: NativeReducerOptions,
  ): Promise<NativeReducer>;
  beforeForward(...beginning: NativeBeginning): boolean;
  beforeForwardAsync(...beginning: NativeBeginning): Promise<boolean> | boolean;
  shareTensors(group: NativeGroup, tensors: Handles, source: number): void;
  shareTensorsAsync(group: NativeGroup, tensors: Handles, source: number): Promise<void>;
  afterForward(reducer: NativeReducer, averages: boolean, searched: Handles, sunk: Handles): Handle[] | null;
  registerCommHook(reducer: NativeReducer, group: NativeGroup, hook: string, options: object): void;
  shadowStep(reducer: NativeReducer, group: NativeGroup, buffers: Handles): Promise<boolean>;
  noteJoin(reducer: NativeReducer): void;
  /** The names in each bucket of the passes to come; null while their order is not known. */
  gradientBuckets(reducer: NativeReducer): string[][] | null;
  /** The name of a parameter whose gradient does not come to the reducer any more. */
  lostParameter(reducer: NativeReducer): string | null;
  ddpLoggingData(reducer: NativeReducer): Record<string, string | number | bigint>;
}

export const nativeDistributed = (native as unknown as { distributed: NativeDistributed }).distributed;
