import type { SyncGroup } from '../../nn/syncGroup.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, handlesOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import type { Backend } from '../backend.js';
import * as takes from '../groupOptions.js';
import { nativeDistributed, type NativeGroup } from '../native.js';
import type { P2POp } from '../p2pOp.js';
import { rankDevice } from '../rankDevice.js';
import { nativeOp, type ReduceOp } from '../reduceOp.js';
import { waitForRanks, waitHere, type CallOptions } from './calls.js';
import { Work } from './work.js';

/** Who a rank is in its group. */
export interface GroupPlace {
  rank: number;
  worldSize: number;
  backend: Backend;
  name: string;
}

/**
 * What ranks do together with tensors. Every rank calls the same collectives in the same order, with tensors of the same shape and
 * dtype; the calls return at once and settle when they are done. Tensors need not be contiguous.
 */
export abstract class TensorCollectives implements SyncGroup {
  readonly rank: number;
  readonly worldSize: number;
  readonly backend: Backend;
  readonly name: string;
  readonly #native: NativeGroup;

  /** @internal */
  protected constructor(group: NativeGroup, { rank, worldSize, backend, name }: GroupPlace) {
    this.#native = group;
    this.rank = rank;
    this.worldSize = worldSize;
    this.backend = backend;
    this.name = name;
  }

  /** @internal */
  get native(): NativeGroup {
    return this.#native;
  }

  abstract abort(): Promise<void>;

  /** @internal Waits for what `begin` begins for this group. */
  protected waitFor<T>(
    name: string,
    options: CallOptions,
    begin: (call: number, timeoutMs: number | null) => Promise<T>,
  ): Promise<T> {
    return waitForRanks(name, options, () => this.abort(), begin);
  }

  /** Gives every rank the values that `tensor` has on rank `src`. */
  async broadcast(tensor: Tensor, src: number, options: CallOptions = {}): Promise<void> {
    takes.broadcastTakes.check('broadcast', arguments);
    await this.waitFor('broadcast', options, (...call) =>
      nativeDistributed.broadcast(this.#native, ...call, handleOf(tensor), src),
    );
  }

  /** Replaces `tensor` on every rank by the reduction over all ranks. Default: the sum. */
  async allReduce(tensor: Tensor, options: takes.ReduceOptions = {}): Promise<void> {
    takes.reduceTakes.check('allReduce', arguments);
    const { op = 'sum' } = options;
    await this.waitFor('allReduce', options, (...call) =>
      nativeDistributed.allReduce(this.#native, ...call, handleOf(tensor), nativeOp(op)),
    );
  }

  /** As `allReduce`, but only rank `dst` gets the result; `tensor` is undefined afterwards on the others. */
  async reduce(tensor: Tensor, dst: number, options: takes.ReduceOptions = {}): Promise<void> {
    takes.reduceToTakes.check('reduce', arguments);
    const { op = 'sum' } = options;
    await this.waitFor('reduce', options, (...call) =>
      nativeDistributed.reduce(this.#native, ...call, handleOf(tensor), dst, nativeOp(op)),
    );
  }

  /** The tensors of all ranks, in the order of ranks. */
  async allGather(tensor: Tensor, options: CallOptions = {}): Promise<Tensor[]> {
    takes.allGatherTakes.check('allGather', arguments);
    const outputs = this.#emptyLike(tensor, this.worldSize);
    await this.waitFor('allGather', options, (...call) =>
      nativeDistributed.allGather(this.#native, ...call, handlesOf(outputs), handleOf(tensor)),
    );
    return outputs;
  }

  /** As `allReduce`, for layers: it waits for the other ranks, and the event loop with it. */
  allReduceSync(tensor: Tensor, options: { op?: ReduceOp } = {}): void {
    takes.allReduceSyncTakes.check('allReduceSync', arguments);
    const { op = 'sum' } = options;
    enterContext();
    waitHere('allReduceSync', (call) =>
      nativeDistributed.allReduceSync(this.#native, call, null, handleOf(tensor), nativeOp(op)),
    );
  }

  /** As `allGather`, for layers: it waits for the other ranks, and the event loop with it. */
  allGatherSync(tensor: Tensor): Tensor[] {
    const outputs = this.#emptyLike(tensor, this.worldSize);
    waitHere('allGatherSync', (call) =>
      nativeDistributed.allGatherSync(this.#native, call, null, handlesOf(outputs), handleOf(tensor)),
    );
    return outputs;
  }

  /** The tensors of all ranks on rank `dst`, null on the others. */
  async gather(tensor: Tensor, dst: number, options: CallOptions = {}): Promise<Tensor[] | null> {
    takes.gatherTakes.check('gather', arguments);
    const outputs = this.rank === dst ? this.#emptyLike(tensor, this.worldSize) : [];
    await this.waitFor('gather', options, (...call) =>
      nativeDistributed.gather(this.#native, ...call, handlesOf(outputs), handleOf(tensor), dst),
    );
    return this.rank === dst ? outputs : null;
  }

  /** Fills `output` on rank i with the i-th of the tensors that rank `src` has; the other ranks give null. */
  async scatter(
    output: Tensor,
    tensors: readonly Tensor[] | null,
    src: number,
    options: CallOptions = {},
  ): Promise<void> {
    takes.scatterTakes.check('scatter', arguments);
    await this.waitFor('scatter', options, (...call) =>
      nativeDistributed.scatter(this.#native, ...call, handleOf(output), handlesOf(tensors ?? []), src),
    );
  }

  /** Reduces lists of tensors over all ranks; rank i gets the i-th result in `output`. */
  async reduceScatter(output: Tensor, tensors: readonly Tensor[], options: takes.ReduceOptions = {}): Promise<void> {
    takes.reduceScatterTakes.check('reduceScatter', arguments);
    const { op = 'sum' } = options;
    await this.waitFor('reduceScatter', options, (...call) =>
      nativeDistributed.reduceScatter(this.#native, ...call, handleOf(output), handlesOf(tensors), nativeOp(op)),
    );
  }

  /** Sends the i-th tensor to rank i; returns what the ranks have sent to this one. */
  async allToAll(tensors: readonly Tensor[], options: takes.AllToAllOptions = {}): Promise<Tensor[]> {
    takes.allToAllTakes.check('allToAll', arguments);
    const outputs = [...(options.outputs ?? tensors.flatMap((tensor) => this.#emptyLike(tensor, 1)))];
    await this.waitFor('allToAll', options, (...call) =>
      nativeDistributed.allToAll(this.#native, ...call, handlesOf(outputs), handlesOf(tensors)),
    );
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
  async allReduceCoalesced(tensors: readonly Tensor[], options: takes.ReduceOptions = {}): Promise<void> {
    takes.manyTake.check('allReduceCoalesced', arguments);
    const { op = 'sum' } = options;
    await this.waitFor('allReduceCoalesced', options, (...call) =>
      nativeDistributed.allReduceCoalesced(this.#native, ...call, handlesOf(tensors), nativeOp(op)),
    );
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
  async allGatherIntoTensor(output: Tensor, input: Tensor, options: CallOptions = {}): Promise<void> {
    takes.intoTakes.check('allGatherIntoTensor', arguments);
    await this.waitFor('allGatherIntoTensor', options, (...call) =>
      nativeDistributed.allGatherIntoTensor(this.#native, ...call, handleOf(output), handleOf(input)),
    );
  }

  /** As `allGatherIntoTensor` of each pair of tensors, in one collective. */
  async allGatherIntoTensorCoalesced(
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    options: CallOptions = {},
  ): Promise<void> {
    takes.intoManyTakes.check('allGatherIntoTensorCoalesced', arguments);
    const [into, from] = [handlesOf(outputs), handlesOf(inputs)];
    await this.waitFor('allGatherIntoTensorCoalesced', options, (...call) =>
      nativeDistributed.allGatherIntoTensorCoalesced(this.#native, ...call, into, from),
    );
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
  async reduceScatterTensor(output: Tensor, input: Tensor, options: takes.ReduceOptions = {}): Promise<void> {
    takes.scatterIntoTakes.check('reduceScatterTensor', arguments);
    const { op = 'sum' } = options;
    await this.waitFor('reduceScatterTensor', options, (...call) =>
      nativeDistributed.reduceScatterTensor(this.#native, ...call, handleOf(output), handleOf(input), nativeOp(op)),
    );
  }

  /** As `reduceScatterTensor` of each pair of tensors, in one collective. */
  async reduceScatterTensorCoalesced(
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    options: takes.ReduceOptions = {},
  ): Promise<void> {
    takes.scatterManyTakes.check('reduceScatterTensorCoalesced', arguments);
    const { op = 'sum' } = options;
    const [into, from] = [handlesOf(outputs), handlesOf(inputs)];
    await this.waitFor('reduceScatterTensorCoalesced', options, (...call) =>
      nativeDistributed.reduceScatterTensorCoalesced(this.#native, ...call, into, from, nativeOp(op)),
    );
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
    await this.waitFor('allToAllSingle', options, (...call) =>
      nativeDistributed.allToAllSingle(this.#native, ...call, into, from, outputSplitSizes, inputSplitSizes),
    );
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
  async batchIsendIrecv(operations: readonly P2POp[], options: CallOptions = {}): Promise<void> {
    takes.batchTakes.check('batchIsendIrecv', arguments);
    await this.waitFor('batchIsendIrecv', options, (...call) =>
      nativeDistributed.batchIsendIrecv(
        this.#native,
        ...call,
        handlesOf(operations.map(({ tensor }) => tensor)),
        operations.map(({ op }) => Number(op === 'isend')),
        operations.map(({ peer }) => peer),
        operations.map(({ tag = 0 }) => tag),
      ),
    );
  }

  /** Resolves when every rank has come here. `deviceIds` throws `INVALID_ARGUMENT` without NCCL. */
  async barrier(options: takes.BarrierOptions = {}): Promise<void> {
    takes.barrierTakes.check('barrier', arguments);
    const { deviceIds } = options;
    const device = deviceIds === undefined ? null : rankDevice(deviceIds[0], this.backend);
    await this.waitFor('barrier', options, (...call) => nativeDistributed.barrier(this.#native, ...call, device));
  }

  /**
   * A barrier that names the ranks that have not come in time; Gloo's alone. As `monitored_barrier`. With a rank of Python's in the
   * group only rank 0 names them; without, every barrier does.
   *
   * @example
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.monitoredBarrier({ timeoutMs: 10_000, waitAllRanks: true });
   * await group.destroy();
   */
  async monitoredBarrier(options: takes.MonitoredBarrierOptions = {}): Promise<void> {
    takes.monitoredBarrierTakes.check('monitoredBarrier', arguments);
    const { waitAllRanks = false } = options;
    await this.waitFor('monitoredBarrier', options, (...call) =>
      nativeDistributed.monitoredBarrier(this.#native, ...call, waitAllRanks),
    );
  }

  /** Sends a tensor to rank `dst`, which receives it under the same tag into one of the same dtype and size. */
  async send(tensor: Tensor, dst: number, options: takes.MessageOptions = {}): Promise<void> {
    takes.sendTakes.check('send', arguments);
    const { tag = 0 } = options;
    await this.waitFor('send', options, (...call) =>
      nativeDistributed.send(this.#native, ...call, handleOf(tensor), dst, tag),
    );
  }

  /**
   * Fills `tensor` with what rank `src` sends under this tag, or with what any rank sends where it is null, which Gloo alone can;
   * resolves with the rank that sent.
   */
  async recv(tensor: Tensor, src: number | null, options: takes.MessageOptions = {}): Promise<number> {
    takes.recvTakes.check('recv', arguments);
    const { tag = 0 } = options;
    return this.waitFor('recv', options, (...call) =>
      nativeDistributed.recv(this.#native, ...call, handleOf(tensor), src, tag),
    );
  }

  /**
   * Begins to send, as `send` does, and returns what can be waited for. The tensor must stay as it is until then.
   *
   * @example
   * import { tensor, zeros } from 'aiforge';
   * import { getRank, getWorldSize, initProcessGroup } from 'aiforge/distributed';
   * const group = await initProcessGroup();
   * if (getWorldSize() > 1 && getRank() === 0) await group.isend(tensor([1, 2]), 1).wait();
   * if (getRank() === 1) await group.irecv(zeros([2], { dtype: 'int64' }), 0).wait();
   */
  isend(tensor: Tensor, dst: number, options: takes.MessageOptions = {}): Work {
    takes.sendTakes.check('isend', arguments);
    return new Work(this.send(tensor, dst, options));
  }

  /** Begins to receive, as `recv` does, and returns what can be waited for. */
  irecv(tensor: Tensor, src: number | null, options: takes.MessageOptions = {}): Work<number> {
    takes.recvTakes.check('irecv', arguments);
    return new Work(this.recv(tensor, src, options));
  }

  #emptyLike(tensor: Tensor, count: number): Tensor[] {
    enterContext();
    return nativeDistributed.emptyLike(handleOf(tensor), count).map(wrapHandle);
  }
}
