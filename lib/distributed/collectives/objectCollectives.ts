import { AiforgeError } from '../../errors.js';
import { isUint8Array } from '../../realms.js';
import { show } from '../../show.js';
import { requireMemory } from '../../tensor/conversion/typedArrays.js';
import * as takes from '../groupOptions.js';
import { nativeDistributed, type NativeGroup } from '../native.js';
import type { CallOptions } from './calls.js';
import { openBytes, openObject, parcelOf, parcelOfBytes, parcelOfError, type Parcel } from './objectBytes.js';
import { TensorCollectives, type GroupPlace } from './tensorCollectives.js';

/**
 * What ranks do together with bytes and values of JavaScript, which the structured clone algorithm carries: `undefined`, `NaN`,
 * `BigInt`, `Date`, `Map`, `Set`, typed arrays and circles arrive as they are; functions and tensors are refused. A rank that cannot
 * send rejects with `INVALID_ARGUMENT`, and those that wait for it with `DISTRIBUTED_FAILED`. All ranks are Node's.
 */
export abstract class ObjectCollectives extends TensorCollectives {
  readonly #openOnCpu: () => Promise<NativeGroup>;
  #onCpu: Promise<NativeGroup> | undefined;
  #rejectAborted!: (reason: AiforgeError) => void;
  /** Rejects when the group is aborted, for what waits on something that cannot be. */
  readonly #aborted = new Promise<never>((_, reject) => (this.#rejectAborted = reject));

  /** @internal `openOnCpu` opens a group on Gloo, for where there is none. */
  protected constructor(group: NativeGroup, place: GroupPlace, openOnCpu: () => Promise<NativeGroup>) {
    super(group, place);
    this.#openOnCpu = openOnCpu;
    this.#aborted.catch(() => undefined);
  }

  /** Gives every rank the bytes of rank `src`, of any length; the other ranks give null. */
  async broadcastBytes(bytes: Uint8Array | null, src: number, options: CallOptions = {}): Promise<Uint8Array> {
    takes.bytesTakes.check('broadcastBytes', arguments);
    if (this.rank !== src && bytes !== null) throw notTheSource('broadcastBytes', 'bytes', this.rank, src);
    const own = this.rank === src ? bytesToSend(bytes, src) : null;
    return (await this.#fromOne('broadcastBytes', own, src, options, openBytes)).slice();
  }

  /**
   * Gives every rank the value of rank `src`; the other ranks' argument is not looked at.
   *
   * @example
   * import { broadcastObject, initProcessGroup } from 'aiforge/distributed';
   * const { rank } = await initProcessGroup();
   * const settings = await broadcastObject(rank === 0 ? { seed: 7, names: new Set(['a', 'b']) } : null, 0);
   */
  async broadcastObject<T>(value: T, src: number, options: CallOptions = {}): Promise<T> {
    takes.objectTakes.check('broadcastObject', arguments);
    const own = this.rank === src ? parcelOf('broadcastObject', value) : null;
    return (await this.#fromOne('broadcastObject', own, src, options, openObject)) as T;
  }

  /**
   * The values of all ranks, in the order of ranks. As `all_gather_object`.
   *
   * @example
   * import { hostname } from 'node:os';
   * import { initProcessGroup } from 'aiforge/distributed';
   * const group = await initProcessGroup();
   * const hosts = await group.allGatherObject(hostname());
   */
  async allGatherObject<T>(value: T, options: CallOptions = {}): Promise<T[]> {
    takes.allObjectsTakes.check('allGatherObject', arguments);
    const own = parcelOf('allGatherObject', value);
    const all = this.#ranks();
    const received = await this.#exchange(
      'allGatherObject',
      null,
      all.map(() => own.bytes),
      all,
      options,
    );
    if (own.error !== undefined) throw own.error;
    return received.map((bytes, rank) => openObject('allGatherObject', rank, bytes) as T);
  }

  /** The values of all ranks on rank `dst`, null on the others. As `gather_object`. */
  async gatherObject<T>(value: T, dst: number, options: CallOptions = {}): Promise<T[] | null> {
    takes.objectToTakes.check('gatherObject', arguments);
    const own = parcelOf('gatherObject', value);
    const all = this.#ranks();
    const outgoing = all.map((rank) => (rank === dst ? own.bytes : null));
    const received = await this.#exchange('gatherObject', dst, outgoing, this.rank === dst ? all : [], options);
    if (own.error !== undefined) throw own.error;
    if (this.rank !== dst) return null;
    return received.map((bytes, rank) => openObject('gatherObject', rank, bytes) as T);
  }

  /** Gives rank i the i-th of the values that rank `src` has; the other ranks give null. As `scatter_object_list`. */
  async scatterObjectList<T>(values: readonly T[] | null, src: number, options: CallOptions = {}): Promise<T> {
    takes.objectListTakes.check('scatterObjectList', arguments);
    if (this.rank !== src && values !== null) throw notTheSource('scatterObjectList', 'values', this.rank, src);
    const parcels = this.rank === src ? this.#parcelsOf(values) : null;
    const outgoing = this.#ranks().map((rank) => parcels?.[rank]!.bytes ?? null);
    const [received] = await this.#exchange('scatterObjectList', src, outgoing, [src], options);
    const error = parcels?.find((parcel) => parcel.error !== undefined)?.error;
    if (error !== undefined) throw error;
    return openObject('scatterObjectList', src, received!) as T;
  }

  /** Sends a value to rank `dst`, which receives it by `recvObject` under the same tag. As `send_object_list`. */
  async sendObject(value: unknown, dst: number, options: takes.MessageOptions = {}): Promise<void> {
    takes.sendObjectTakes.check('sendObject', arguments);
    const { tag = 0 } = options;
    const own = parcelOf('sendObject', value);
    await this.#onGloo('sendObject', options, (group, ...call) =>
      nativeDistributed.exchangeObject(group, ...call, 'sendObject', dst, tag, own.bytes),
    );
    if (own.error !== undefined) throw own.error;
  }

  /** The next value that rank `src` sends here under this tag. As `recv_object_list`. */
  async recvObject<T>(src: number, options: takes.MessageOptions = {}): Promise<T> {
    takes.recvObjectTakes.check('recvObject', arguments);
    const { tag = 0 } = options;
    const [received] = await this.#onGloo('recvObject', options, (group, ...call) =>
      nativeDistributed.exchangeObject(group, ...call, 'recvObject', src, tag, null),
    );
    return openObject('recvObject', src, received!) as T;
  }

  /**
   * @internal Makes now the connections that objects need and the group has not: making them waits for every rank, also for one that
   * has ended meanwhile, and a collective does not.
   */
  async connect(): Promise<void> {
    await this.groupOnCpu();
  }

  /** @internal The group on Gloo, where objects go: of its own with NCCL alone. */
  protected groupOnCpu(): Promise<NativeGroup> {
    return (this.#onCpu ??= this.backend === 'nccl' ? this.#openOnCpu() : Promise.resolve(this.native));
  }

  /** @internal A group that was opened for objects alone. */
  protected get ownGroupOnCpu(): Promise<NativeGroup> | undefined {
    return this.backend === 'nccl' ? this.#onCpu : undefined;
  }

  /** @internal Lets what still waits for connections fail. */
  protected rejectAborted(): void {
    this.#rejectAborted(
      new AiforgeError('DISTRIBUTED_FAILED', 'The collective failed: its process group was aborted on this rank.'),
    );
  }

  #ranks(): number[] {
    return Array.from({ length: this.worldSize }, (_, rank) => rank);
  }

  /** What each rank is sent; where one of the values cannot be, all are told so. */
  #parcelsOf(values: readonly unknown[] | null): Parcel[] {
    if (values?.length !== this.worldSize) {
      const got = values === null ? 'null' : `${values.length}`;
      const error = new AiforgeError(
        'INVALID_ARGUMENT',
        `scatterObjectList: rank ${this.rank} sends, so it must give a value for each of the ${this.worldSize} ranks, got ${got}.`,
      );
      return this.#ranks().map(() => parcelOfError(error));
    }
    const parcels = values.map((value) => parcelOf('scatterObjectList', value));
    const failed = parcels.find(({ error }) => error !== undefined);
    return failed === undefined ? parcels : parcels.map(() => failed);
  }

  async #fromOne<T>(
    name: string,
    own: Parcel | null,
    src: number,
    options: CallOptions,
    open: (name: string, rank: number, bytes: Uint8Array) => T,
  ): Promise<T> {
    const outgoing = this.#ranks().map(() => own?.bytes ?? null);
    const [received] = await this.#exchange(name, src, outgoing, [src], options);
    if (own?.error !== undefined) throw own.error;
    return open(name, src, received!);
  }

  #exchange(
    name: string,
    root: number | null,
    outgoing: readonly (Uint8Array | null)[],
    sources: readonly number[],
    options: CallOptions,
  ): Promise<Uint8Array[]> {
    return this.#onGloo(name, options, (group, ...call) =>
      nativeDistributed.exchangeObjects(group, ...call, name, root, outgoing, sources),
    );
  }

  #onGloo<T>(
    name: string,
    options: CallOptions,
    begin: (group: NativeGroup, call: number, timeoutMs: number | null) => Promise<T>,
  ): Promise<T> {
    return this.waitFor(name, options, (...call) => {
      // At once, so that it has its place in the order of the group's collectives.
      if (this.backend !== 'nccl') return begin(this.native, ...call);
      const begun = this.groupOnCpu().then((group) => begin(group, ...call));
      return Promise.race([begun, this.#aborted]);
    });
  }
}

function bytesToSend(bytes: Uint8Array | null, src: number): Parcel {
  if (isUint8Array(bytes)) {
    try {
      requireMemory(bytes, 'broadcastBytes');
    } catch (error) {
      return parcelOfError(error as AiforgeError);
    }
    return parcelOfBytes(bytes);
  }
  return parcelOfError(
    new AiforgeError(
      'INVALID_ARGUMENT',
      `broadcastBytes: rank ${src} sends, so it must give a Uint8Array, got ${show(bytes)}.`,
    ),
  );
}

/** What another rank than the source gives would be lost. */
function notTheSource(name: string, what: string, rank: number, src: number): AiforgeError {
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: rank ${src} gives the ${what}, and the other ranks null; rank ${rank} has given ${what} too.`,
  );
}
