import { Buffer } from 'node:buffer';
import { AiforgeError } from '../errors.js';
import { kind, type Kind } from '../kinds.js';
import type { SyncGroup } from '../nn/syncGroup.js';
import { enterContext } from '../tensor/context/context.js';
import { handleOf, handlesOf, wrapHandle, type Tensor } from '../tensor/tensor.js';
import type { Backend } from './backend.js';
import { flightRecordOf, type FlightRecord } from './flightRecord.js';
import * as takes from './groupOptions.js';
import { nativeDistributed, type NativeGroup } from './native.js';
import { checkNcclOptions, nativeNcclOptions } from './ncclOptions.js';
import type { P2POp } from './p2pOp.js';
import { rankDevice } from './rankDevice.js';
import { nativeOp, type ReduceOp } from './reduceOp.js';
import type { Store } from './stores/store.js';

/** How a rank leaves a group. */
type Leaving = 'destroy' | 'abort';

/**
 * Ranks that work together. Every rank must call the same collectives in the same order, with tensors of the same
 * shape and dtype; `TORCH_DISTRIBUTED_DEBUG=DETAIL` checks that they do, and without it Gloo ends a process that gets
 * tensors of another size. Collectives return at once and settle when they are done: the event loop goes on meanwhile.
 */
export class ProcessGroup implements SyncGroup {
  readonly rank: number;
  readonly worldSize: number;
  readonly backend: Backend;
  readonly name: string;
  readonly #native: NativeGroup;
  readonly #openBytesGroup: () => Promise<NativeGroup>;
  #bytesGroup: Promise<NativeGroup> | undefined;
  #bytesTurn: Promise<unknown> = Promise.resolve();
  #onLeave: (() => void) | undefined;
  #onLeft: ((how: Leaving) => Promise<void>) | undefined;
  #rejectAborted!: (reason: AiforgeError) => void;
  /** Rejects when the group is aborted, for what waits on something that cannot be. */
  readonly #aborted = new Promise<never>((_, reject) => (this.#rejectAborted = reject));

  private constructor(
    group: NativeGroup,
    openBytesGroup: () => Promise<NativeGroup>,
    options: Required<Pick<takes.ProcessGroupOptions, 'rank' | 'worldSize' | 'backend' | 'name'>>,
  ) {
    this.#native = group;
    this.#openBytesGroup = openBytesGroup;
    this.rank = options.rank;
    this.worldSize = options.worldSize;
    this.backend = options.backend;
    this.name = options.name;
    this.#aborted.catch(() => undefined);
  }

  /** Joins a group; resolves when all its ranks have. Rejects with `DISTRIBUTED_FAILED` when one does not come in time. */
  static async create(store: Store, options: takes.ProcessGroupOptions): Promise<ProcessGroup> {
    takes.createTakes.check('ProcessGroup.create', arguments);
    const { rank, worldSize, backend = 'gloo', name = '0', timeoutMs = 1_800_000 } = options;
    checkNcclOptions(options.ncclOptions, backend);
    const ownDevice = options.deviceId === undefined ? null : rankDevice(options.deviceId, backend);
    const full = { rank, worldSize, backend, name, timeoutMs };
    const open = (name: string, backend: Backend, deviceId: number | null): Promise<NativeGroup> =>
      nativeDistributed.openProcessGroup(
        store.native,
        backend,
        name,
        full.rank,
        full.worldSize,
        full.timeoutMs,
        deviceId,
        backend === 'gloo' ? null : nativeNcclOptions(options.ncclOptions),
      );
    // Bytes are tensors on the CPU.
    const openBytes = (): Promise<NativeGroup> => open(`${full.name}/bytes`, 'gloo', null);
    return new ProcessGroup(await open(full.name, full.backend, ownDevice), openBytes, full);
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
    takes.reduceTakes.check('allReduce', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.allReduce(this.#native, handleOf(tensor), nativeOp(op));
  }

  /** As `allReduce`, but only rank `dst` gets the result; `tensor` is undefined afterwards on the others. */
  async reduce(tensor: Tensor, dst: number, options: { op?: ReduceOp } = {}): Promise<void> {
    takes.reduceToTakes.check('reduce', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.reduce(this.#native, handleOf(tensor), dst, nativeOp(op));
  }

  /** The tensors of all ranks, in the order of ranks. */
  async allGather(tensor: Tensor): Promise<Tensor[]> {
    const outputs = this.#emptyLike(tensor, this.worldSize);
    await nativeDistributed.allGather(this.#native, handlesOf(outputs), handleOf(tensor));
    return outputs;
  }

  /** As `allReduce`, for layers: it waits for the other ranks, and the event loop with it. */
  allReduceSync(tensor: Tensor, options: { op?: ReduceOp } = {}): void {
    takes.reduceTakes.check('allReduceSync', arguments);
    const { op = 'sum' } = options;
    enterContext();
    nativeDistributed.allReduceSync(this.#native, handleOf(tensor), nativeOp(op));
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
    takes.reduceScatterTakes.check('reduceScatter', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.reduceScatter(this.#native, handleOf(output), handlesOf(tensors), nativeOp(op));
  }

  /** Sends the i-th tensor to rank i; returns what the ranks have sent to this one. */
  async allToAll(tensors: readonly Tensor[]): Promise<Tensor[]> {
    takes.allToAllTakes.check('allToAll', arguments);
    const outputs = tensors.flatMap((tensor) => this.#emptyLike(tensor, 1));
    await nativeDistributed.allToAll(this.#native, handlesOf(outputs), handlesOf(tensors));
    return outputs;
  }

  /**
   * As `allReduce` of each of the tensors, of one dtype and device, in one collective. As `all_reduce` within `_coalescing_manager`.
   *
   * @example
   * import { ones } from 'aiforge';
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.allReduceCoalesced([ones([2]), ones([3, 3])], { op: 'max' });
   * await group.destroy();
   */
  async allReduceCoalesced(tensors: readonly Tensor[], options: { op?: ReduceOp } = {}): Promise<void> {
    takes.manyTake.check('allReduceCoalesced', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.allReduceCoalesced(this.#native, handlesOf(tensors), nativeOp(op));
  }

  /**
   * Fills `output` with the inputs of all ranks, one after another: it is as large as all of them. As `all_gather_into_tensor`.
   *
   * @example
   * import { ones, zeros } from 'aiforge';
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.allGatherIntoTensor(zeros([1 * 2, 3]), ones([2, 3]));
   * await group.destroy();
   */
  async allGatherIntoTensor(output: Tensor, input: Tensor): Promise<void> {
    takes.intoTakes.check('allGatherIntoTensor', arguments);
    await nativeDistributed.allGatherIntoTensor(this.#native, handleOf(output), handleOf(input));
  }

  /** As `allGatherIntoTensor` of each pair of tensors, in one collective. */
  async allGatherIntoTensorCoalesced(outputs: readonly Tensor[], inputs: readonly Tensor[]): Promise<void> {
    takes.intoManyTakes.check('allGatherIntoTensorCoalesced', arguments);
    await nativeDistributed.allGatherIntoTensorCoalesced(this.#native, handlesOf(outputs), handlesOf(inputs));
  }

  /**
   * Reduces `input` over all ranks; rank i gets the i-th of its equal parts in `output`. As `reduce_scatter_tensor`.
   *
   * @example
   * import { ones, zeros } from 'aiforge';
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.reduceScatterTensor(zeros([4]), ones([1 * 4]));
   * await group.destroy();
   */
  async reduceScatterTensor(output: Tensor, input: Tensor, options: { op?: ReduceOp } = {}): Promise<void> {
    takes.scatterIntoTakes.check('reduceScatterTensor', arguments);
    const { op = 'sum' } = options;
    await nativeDistributed.reduceScatterTensor(this.#native, handleOf(output), handleOf(input), nativeOp(op));
  }

  /** As `reduceScatterTensor` of each pair of tensors, in one collective. */
  async reduceScatterTensorCoalesced(
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    options: { op?: ReduceOp } = {},
  ): Promise<void> {
    takes.scatterManyTakes.check('reduceScatterTensorCoalesced', arguments);
    const { op = 'sum' } = options;
    const [into, from] = [handlesOf(outputs), handlesOf(inputs)];
    await nativeDistributed.reduceScatterTensorCoalesced(this.#native, into, from, nativeOp(op));
  }

  /**
   * Sends rank i the i-th part of `input`'s rows, and puts what the ranks send here one after another into `output`. As
   * `all_to_all_single`.
   *
   * @example
   * import { ones, zeros } from 'aiforge';
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.allToAllSingle(zeros([3]), ones([3]), { inputSplitSizes: [3], outputSplitSizes: [3] });
   * await group.destroy();
   */
  async allToAllSingle(output: Tensor, input: Tensor, options: takes.AllToAllSingleOptions = {}): Promise<void> {
    takes.allToAllSingleTakes.check('allToAllSingle', arguments);
    const { outputSplitSizes = [], inputSplitSizes = [] } = options;
    const [into, from] = [handleOf(output), handleOf(input)];
    await nativeDistributed.allToAllSingle(this.#native, into, from, outputSplitSizes, inputSplitSizes);
  }

  /**
   * Begins sends and receives together and resolves when all are done; in which order a rank names them does not matter, but for
   * those between the same two ranks. As `batch_isend_irecv`.
   *
   * @example
   * import { tensor, zeros } from 'aiforge';
   * import { getRank, getWorldSize, initProcessGroup } from 'aiforge/distributed';
   * const group = await initProcessGroup();
   * const [rank, size] = [getRank(), getWorldSize()];
   * const received = zeros([1]);
   * const operations = [
   *   { op: 'irecv', tensor: received, peer: (rank + size - 1) % size },
   *   { op: 'isend', tensor: tensor([rank]), peer: (rank + 1) % size },
   * ] as const;
   * if (size > 1) await group.batchIsendIrecv(operations);
   */
  async batchIsendIrecv(operations: readonly P2POp[]): Promise<void> {
    takes.batchTakes.check('batchIsendIrecv', arguments);
    await nativeDistributed.batchIsendIrecv(
      this.#native,
      handlesOf(operations.map(({ tensor }) => tensor)),
      operations.map(({ op }) => Number(op === 'isend')),
      operations.map(({ peer }) => peer),
      operations.map(({ tag = 0 }) => tag),
    );
  }

  /** Resolves when every rank has come here. `deviceIds` throws `INVALID_ARGUMENT` without NCCL. */
  async barrier(options: takes.BarrierOptions = {}): Promise<void> {
    takes.barrierTakes.check('barrier', arguments);
    const { deviceIds, timeoutMs = null } = options;
    const device = deviceIds === undefined ? null : rankDevice(deviceIds[0], this.backend);
    await nativeDistributed.barrier(this.#native, device, timeoutMs);
  }

  /**
   * A barrier that names the ranks that have not come in time, on rank 0; Gloo's alone. As `monitored_barrier`.
   *
   * @example
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.monitoredBarrier({ timeoutMs: 10_000, waitAllRanks: true });
   * await group.destroy();
   */
  async monitoredBarrier(options: takes.MonitoredBarrierOptions = {}): Promise<void> {
    takes.monitoredBarrierTakes.check('monitoredBarrier', arguments);
    const { timeoutMs = null, waitAllRanks = false } = options;
    await nativeDistributed.monitoredBarrier(this.#native, timeoutMs, waitAllRanks);
  }

  async send(tensor: Tensor, dst: number, options: { tag?: number } = {}): Promise<void> {
    takes.sendTakes.check('send', arguments);
    const { tag = 0 } = options;
    await nativeDistributed.send(this.#native, handleOf(tensor), dst, tag);
  }

  /** Fills `tensor` with what rank `src` sends under this tag. */
  async recv(tensor: Tensor, src: number, options: { tag?: number } = {}): Promise<void> {
    takes.sendTakes.check('recv', arguments);
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
    const group = await Promise.race([(this.#bytesGroup ??= this.#openBytesGroup()), this.#aborted]);
    const turn = this.#bytesTurn.then(() => nativeDistributed.broadcastBytes(group, own, src));
    this.#bytesTurn = turn.catch(() => undefined);
    return Promise.race([turn, this.#aborted]);
  }

  /** Gives every rank the value of rank `src`, which must survive JSON; the other ranks' argument is not looked at. */
  async broadcastObject<T>(value: T, src: number): Promise<T> {
    const bytes = this.rank === src ? Buffer.from(JSON.stringify(value)) : null;
    return JSON.parse(Buffer.from(await this.broadcastBytes(bytes, src)).toString()) as T;
  }

  /**
   * What c10d's flight recorder holds of this group's last collectives, the newest last, for Gloo and NCCL alike: which were
   * called, with what, and how far they came. `TORCH_FR_BUFFER_SIZE` sets how many it keeps, 0 for none. Default: 2000.
   *
   * @example
   * import { ones } from 'aiforge';
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.allReduce(ones([2]));
   * group.dumpFlightRecorder().entries.at(-1)?.profiling_name; // 'gloo:all_reduce'
   * await group.destroy();
   */
  dumpFlightRecorder(options: { onlyActive?: boolean } = {}): FlightRecord {
    takes.recordTakes.check('dumpFlightRecorder', arguments);
    const { onlyActive = false } = options;
    return flightRecordOf(this.name, this.backend !== 'gloo', onlyActive);
  }

  /** Leaves the group once its pending collectives are done. Collectives called afterwards reject. */
  async destroy(): Promise<void> {
    this.#onLeave?.();
    await this.#bytesTurn;
    if (this.#bytesGroup !== undefined) await nativeDistributed.closeProcessGroup(await this.#bytesGroup);
    await nativeDistributed.closeProcessGroup(this.#native);
    await this.#onLeft?.('destroy');
  }

  /**
   * Ends the group at once, whatever the other ranks do: pending collectives reject with `DISTRIBUTED_FAILED`, here and, as their
   * connections close, on the other ranks, which then abort it too. The process goes on and may join another group, on another port
   * or under another name. Resolves when nothing of the group is left. As Python's `_abort_process_group`.
   *
   * @example
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const store = await TCPStore.create({ port: 0, isServer: true });
   * const group = await ProcessGroup.create(store, { rank: 0, worldSize: 1 });
   * await group.abort();
   * const next = await ProcessGroup.create(store, { rank: 0, worldSize: 1, name: '1' });
   * await next.destroy();
   */
  async abort(): Promise<void> {
    this.#onLeave?.();
    this.#rejectAborted(
      new AiforgeError('DISTRIBUTED_FAILED', 'broadcastBytes failed: its process group was aborted on this rank.'),
    );
    // Not waited for: while it is being opened, it waits for the other ranks.
    this.#bytesGroup?.then((group) => nativeDistributed.abortProcessGroup(group)).catch(() => undefined);
    await nativeDistributed.abortProcessGroup(this.#native);
    await this.#onLeft?.('abort');
  }

  /** @internal Calls `first` as soon as this rank leaves the group, and `then` when nothing of it is left. */
  whenLeft(first: () => void, then: (how: Leaving) => Promise<void>): void {
    this.#onLeave = first;
    this.#onLeft = then;
  }

  #emptyLike(tensor: Tensor, count: number): Tensor[] {
    enterContext();
    return nativeDistributed.emptyLike(handleOf(tensor), count).map(wrapHandle);
  }
}

export const groupKind: Kind<ProcessGroup> = kind('a ProcessGroup', (value) => value instanceof ProcessGroup);
