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

/** The part of the addon that binds c10d. What returns a promise waits on a thread of its own. */
interface NativeDistributed {
  openTcpStore(
    host: string,
    port: number,
    worldSize: number | null,
    isServer: boolean,
    timeoutMs: number,
  ): Promise<NativeStore>;
  storeSet(store: NativeStore, key: string, value: Uint8Array): Promise<void>;
  storeGet(store: NativeStore, key: string): Promise<Uint8Array>;
  storeAdd(store: NativeStore, key: string, amount: number): Promise<number>;
  storeWait(store: NativeStore, keys: readonly string[], timeoutMs: number | null): Promise<void>;
  storeCheck(store: NativeStore, keys: readonly string[]): Promise<boolean>;
  storeDeleteKey(store: NativeStore, key: string): Promise<boolean>;
  storePort(store: NativeStore): number;

  openProcessGroup(
    store: NativeStore,
    backend: string,
    name: string,
    rank: number,
    worldSize: number,
    timeoutMs: number,
    device: number | null,
  ): Promise<NativeGroup>;
  closeProcessGroup(group: NativeGroup): Promise<void>;
  broadcast(group: NativeGroup, tensor: Handle, src: number): Promise<void>;
  allReduce(group: NativeGroup, tensor: Handle, op: string): Promise<void>;
  reduce(group: NativeGroup, tensor: Handle, dst: number, op: string): Promise<void>;
  allGather(group: NativeGroup, outputs: Handles, input: Handle): Promise<void>;
  gather(group: NativeGroup, outputs: Handles, input: Handle, dst: number): Promise<void>;
  scatter(group: NativeGroup, output: Handle, inputs: Handles, src: number): Promise<void>;
  reduceScatter(group: NativeGroup, output: Handle, inputs: Handles, op: string): Promise<void>;
  allToAll(group: NativeGroup, outputs: Handles, inputs: Handles): Promise<void>;
  barrier(group: NativeGroup): Promise<void>;
  send(group: NativeGroup, tensor: Handle, dst: number, tag: number): Promise<void>;
  recv(group: NativeGroup, tensor: Handle, src: number, tag: number): Promise<void>;
  allReduceSync(group: NativeGroup, tensor: Handle, op: string): void;
  allGatherSync(group: NativeGroup, outputs: Handles, input: Handle): void;
  emptyLike(model: Handle, count: number): Handle[];
  broadcastBytes(group: NativeGroup, bytes: Uint8Array | null, src: number): Promise<Uint8Array>;

  openReducer(
    group: NativeGroup,
    parameters: Handles,
    names: readonly string[],
    sparseOnes: Handles,
    buffers: Handles,
    moduleName: string,
    firstBucketBytes: number,
    bucketBytes: number,
    findUnusedParameters: boolean,
    gradientAsBucketView: boolean,
    broadcastBuffers: boolean,
    unusedAdvice: string,
  ): Promise<NativeReducer>;
  beforeForward(reducer: NativeReducer, syncs: boolean): void;
  syncBuffers(group: NativeGroup, buffers: Handles): void;
  afterForward(reducer: NativeReducer, outputs: Handles): void;
}

export const nativeDistributed = (native as unknown as { distributed: NativeDistributed }).distributed;
