import { AiforgeError } from '../errors.js';
import { anything, string, orNull, positive, whole, size, count, oneOf, kind, type Kind } from '../kinds.js';
import { signature } from '../signature.js';
import type { SyncGroup } from '../nn/syncGroup.js';
import { enterContext } from '../tensor/context.js';
import { handleOf, handlesOf, wrapHandle, type Tensor } from '../tensor/tensor.js';
import { nativeDistributed, type NativeGroup } from './native.js';
import type { TCPStore } from './store.js';
import { tensorKind } from '../tensor/kinds.js';

/** `nccl` has CUDA tensors only; the last has both kinds. */
export type Backend = 'gloo' | 'nccl' | 'cpu:gloo,cuda:nccl';

export type ReduceOp = 'sum' | 'avg' | 'product' | 'min' | 'max' | 'band' | 'bor' | 'bxor';

export const reduceOpKind: Kind<ReduceOp> = oneOf('sum', 'avg', 'product', 'min', 'max', 'band', 'bor', 'bxor');

export interface ProcessGroupOptions {
  rank: number;
  worldSize: number;
  /** Default: `gloo`. */
  backend?: Backend;
  /** Tells groups on one store apart; the same on all ranks. Default: `0`, the name of Python's default group. */
  name?: string;
  /** How long a collective waits for the other ranks. Default: 30 minutes. */
  timeoutMs?: number;
  /** NCCL: this rank's GPU, connected at once. Default: none, and connected by the first collective. */
  deviceId?: number | null;
}

const sendTakes = signature<{ tag?: number }>({ tensor: tensorKind, rank: whole }, { tag: whole });

const reduceScatterTakes = signature<{ op?: ReduceOp }>(
  { output: tensorKind, tensors: anything },
  { op: reduceOpKind },
);

const reduceToTakes = signature<{ op?: ReduceOp }>({ tensor: tensorKind, dst: whole }, { op: reduceOpKind });

const reduceTakes = signature<{ op?: ReduceOp }>({ tensor: tensorKind }, { op: reduceOpKind });

const createTakes = signature<ProcessGroupOptions>(
  { store: anything },
  {
    rank: size,
    worldSize: count,
    backend: oneOf('gloo', 'nccl', 'cpu:gloo,cuda:nccl'),
    name: string,
    timeoutMs: positive,
    deviceId: orNull(size),
  },
  ['rank', 'worldSize'],
);

/**
 * Ranks that work together. Every rank must call the same collectives in the same order, with tensors of the same
 * shape and dtype; `TORCH_DISTRIBUTED_DEBUG=DETAIL` checks that they do, and without it Gloo ends a process that gets
 * tensors of another size. Collectives return at once and settle when they are done: the event loop goes on meanwhile.
 */
export class ProcessGroup implements SyncGroup {
  readonly rank: number;
  readonly worldSize: number;
  readonly backend: Backend;
  readonly #native: NativeGroup;
  readonly #openBytesGroup: () => Promise<NativeGroup>;
  #bytesGroup: Promise<NativeGroup> | undefined;
  #bytesTurn: Promise<unknown> = Promise.resolve();

  private constructor(
    group: NativeGroup,
    openBytesGroup: () => Promise<NativeGroup>,
    options: Required<ProcessGroupOptions>,
  ) {
    this.#native = group;
    this.#openBytesGroup = openBytesGroup;
    this.rank = options.rank;
    this.worldSize = options.worldSize;
    this.backend = options.backend;
  }

  /** Joins a group; resolves when all its ranks have. Rejects with `DISTRIBUTED_FAILED` when one does not come in time. */
  static async create(store: TCPStore, options: ProcessGroupOptions): Promise<ProcessGroup> {
    createTakes.check('ProcessGroup.create', arguments);
    const full = { backend: 'gloo', name: '0', timeoutMs: 1_800_000, deviceId: null, ...options } as const;
    const open = (name: string, backend: Backend, deviceId: number | null): Promise<NativeGroup> =>
      nativeDistributed.openProcessGroup(
        store.native,
        backend,
        name,
        full.rank,
        full.worldSize,
        full.timeoutMs,
        deviceId,
      );
    // Bytes are tensors on the CPU.
    const openBytes = (): Promise<NativeGroup> => open(`${full.name}/bytes`, 'gloo', null);
    return new ProcessGroup(await open(full.name, full.backend, full.deviceId), openBytes, full);
  }

  /** @internal */
  get native(): NativeGroup {
    return this.#native;
  }

  /**
   * @internal Makes now the connections that `broadcastBytes` makes when it is first called: making them waits for every rank, also
   * for one that has ended meanwhile, and a collective does not.
   */
  async connect(): Promise<void> {
    await (this.#bytesGroup ??= this.#openBytesGroup());
  }

  /** Gives every rank the values that `tensor` has on rank `src`. */
  async broadcast(tensor: Tensor, src: number): Promise<void> {
    await nativeDistributed.broadcast(this.#native, handleOf(tensor), src);
  }

  /** Replaces `tensor` on every rank by the reduction over all ranks. Default: the sum. */
  async allReduce(tensor: Tensor, options: { op?: ReduceOp } = {}): Promise<void> {
    reduceTakes.check('allReduce', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.allReduce(this.#native, handleOf(tensor), op);
  }

  /** As `allReduce`, but only rank `dst` gets the result; `tensor` is undefined afterwards on the others. */
  async reduce(tensor: Tensor, dst: number, options: { op?: ReduceOp } = {}): Promise<void> {
    reduceToTakes.check('reduce', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.reduce(this.#native, handleOf(tensor), dst, op);
  }

  /** The tensors of all ranks, in the order of ranks. */
  async allGather(tensor: Tensor): Promise<Tensor[]> {
    const outputs = this.#emptyLike(tensor, this.worldSize);
    await nativeDistributed.allGather(this.#native, handlesOf(outputs), handleOf(tensor));
    return outputs;
  }

  /** As `allReduce`, for layers: it waits for the other ranks, and the event loop with it. */
  allReduceSync(tensor: Tensor, options: { op?: ReduceOp } = {}): void {
    reduceTakes.check('allReduceSync', arguments);
    const { op = 'sum' } = options;
    enterContext();
    nativeDistributed.allReduceSync(this.#native, handleOf(tensor), op);
  }

  /** As `allGather`, for layers: it waits for the other ranks, and the event loop with it. */
  allGatherSync(tensor: Tensor): Tensor[] {
    const outputs = this.#emptyLike(tensor, this.worldSize);
    nativeDistributed.allGatherSync(this.#native, handlesOf(outputs), handleOf(tensor));
    return outputs;
  }

  /** The tensors of all ranks on rank `dst`, null on the others. */
  async gather(tensor: Tensor, dst: number): Promise<Tensor[] | null> {
    const outputs = this.rank === dst ? this.#emptyLike(tensor, this.worldSize) : [];
    await nativeDistributed.gather(this.#native, handlesOf(outputs), handleOf(tensor), dst);
    return this.rank === dst ? outputs : null;
  }

  /** Fills `output` on rank i with the i-th of the tensors that rank `src` has; the other ranks give null. */
  async scatter(output: Tensor, tensors: readonly Tensor[] | null, src: number): Promise<void> {
    await nativeDistributed.scatter(this.#native, handleOf(output), handlesOf(tensors ?? []), src);
  }

  /** Reduces lists of tensors over all ranks; rank i gets the i-th result in `output`. */
  async reduceScatter(output: Tensor, tensors: readonly Tensor[], options: { op?: ReduceOp } = {}): Promise<void> {
    reduceScatterTakes.check('reduceScatter', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.reduceScatter(this.#native, handleOf(output), handlesOf(tensors), op);
  }

  /** Sends the i-th tensor to rank i; returns what the ranks have sent to this one. */
  async allToAll(tensors: readonly Tensor[]): Promise<Tensor[]> {
    const outputs = tensors.flatMap((tensor) => this.#emptyLike(tensor, 1));
    await nativeDistributed.allToAll(this.#native, handlesOf(outputs), handlesOf(tensors));
    return outputs;
  }

  /** Resolves when every rank has come here. */
  async barrier(): Promise<void> {
    await nativeDistributed.barrier(this.#native);
  }

  async send(tensor: Tensor, dst: number, options: { tag?: number } = {}): Promise<void> {
    sendTakes.check('send', arguments);
    const { tag = 0 } = options;
    await nativeDistributed.send(this.#native, handleOf(tensor), dst, tag);
  }

  /** Fills `tensor` with what rank `src` sends under this tag. */
  async recv(tensor: Tensor, src: number, options: { tag?: number } = {}): Promise<void> {
    sendTakes.check('recv', arguments);
    const { tag = 0 } = options;
    await nativeDistributed.recv(this.#native, handleOf(tensor), src, tag);
  }

  /** Gives every rank the bytes of rank `src`, of any length; the other ranks give null. */
  async broadcastBytes(bytes: Uint8Array | null, src: number): Promise<Uint8Array> {
    const own = this.rank === src ? bytes?.slice() : null;
    if (own === undefined) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `broadcastBytes: rank ${src} sends, so it must give a Uint8Array, got null.`,
      );
    }
    // The length comes first and the bytes after it: a group of their own keeps other collectives from coming between.
    const group = await (this.#bytesGroup ??= this.#openBytesGroup());
    const turn = this.#bytesTurn.then(() => nativeDistributed.broadcastBytes(group, own, src));
    this.#bytesTurn = turn.catch(() => undefined);
    return turn;
  }

  /** Gives every rank the value of rank `src`, which must survive JSON; the other ranks' argument is not looked at. */
  async broadcastObject<T>(value: T, src: number): Promise<T> {
    const bytes = this.rank === src ? Buffer.from(JSON.stringify(value)) : null;
    return JSON.parse(Buffer.from(await this.broadcastBytes(bytes, src)).toString()) as T;
  }

  /** Leaves the group once its pending collectives are done. Collectives called afterwards reject. */
  async destroy(): Promise<void> {
    await this.#bytesTurn;
    if (this.#bytesGroup !== undefined) await nativeDistributed.closeProcessGroup(await this.#bytesGroup);
    await nativeDistributed.closeProcessGroup(this.#native);
  }

  #emptyLike(tensor: Tensor, count: number): Tensor[] {
    enterContext();
    return nativeDistributed.emptyLike(handleOf(tensor), count).map(wrapHandle);
  }
}

export const groupKind: Kind<ProcessGroup> = kind('a ProcessGroup', (value) => value instanceof ProcessGroup);
