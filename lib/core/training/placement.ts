import * as cuda from '../../cuda/index.js';
import { pinBatch } from '../../data/moveToDevice.js';
import { AiforgeError } from '../../errors.js';
import { isPromise } from '../../promised.js';
import type { Device } from '../../tensor/index.js';
import { held, type Held } from '../../tensor/memory/held.js';
import { tensorsIn } from '../../tensor/memory/scope.js';
import { BaseModel } from '../baseModel.js';
import { called } from '../plugins/calls.js';
import { randomState, type RandomState } from '../randomState.js';

/** Batches of a pass, or promises of them, as `DataLoader.soon` gives them. */
export type Batches = Iterator<Held<unknown>, void>;

/** Where a model trains, and how batches come there. */
export class Placement {
  constructor(
    private readonly model: BaseModel,
    readonly device: Device,
    private readonly pinsMemory: boolean,
  ) {}

  /** The batches of a pass as they come to the device. */
  feed(batches: Batches): Feed {
    return this.device === 'cpu' ? new DirectFeed(batches, this) : new StreamFeed(batches, this);
  }

  /** A batch on the device. */
  move(batch: unknown): unknown {
    const { model, device } = this;
    if (device === 'cpu' && model.transferBatchToDevice === BaseModel.prototype.transferBatchToDevice) return batch;
    const source = this.pinsMemory ? pinBatch(batch) : batch;
    const moved: unknown = called('transferBatchToDevice', () => model.transferBatchToDevice(source as never, device));
    if (moved !== undefined && moved !== null) return moved;
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `transferBatchToDevice returned ${String(moved)}: return the batch on ${device}.`,
    );
  }
}

/** The batches of a pass, one after the other. */
export interface Feed {
  /** Has the next batch come; gives what to wait for where it is on its way. To be called before `next`. */
  ready(): Promise<void> | undefined;
  /** The batch on the device; the next call of `ready` ends it, where the caller's scope does not. */
  next(): unknown;
  /** Brings the next batch on its way, once all work on this one is queued. */
  prefetch(): void;
  /** Lets go of the batches; to be called when the pass ends, however it does. */
  close(): void;
  /** The random state before the batch that is on its way was loaded; undefined where none is. */
  readonly drawnBefore: RandomState | undefined;
}

class DirectFeed implements Feed {
  readonly drawnBefore = undefined;
  #batch: Held<unknown> | undefined;
  #value: unknown;

  constructor(
    private readonly batches: Batches,
    private readonly placement: Placement,
  ) {}

  ready(): Promise<void> | undefined {
    this.#letGo();
    this.#batch = this.batches.next().value!;
    const { value } = this.#batch;
    if (isPromise(value)) return Promise.resolve(value).then((come) => void (this.#value = come));
    this.#value = value;
    return undefined;
  }

  next(): unknown {
    return this.placement.move(this.#value);
  }

  prefetch(): void {
    // What comes later is on its way already, and nothing else would go on meanwhile.
  }

  close(): void {
    this.#letGo();
    this.batches.return?.();
  }

  #letGo(): void {
    this.#batch?.letGo();
    this.#batch = undefined;
    this.#value = undefined;
  }
}

/** A batch that was asked for, and what is on the device of it. */
interface Ahead {
  loaded: Held<unknown>;
  moved: Held<unknown> | undefined;
  drawnBefore: RandomState;
}

/** Loads and copies a batch while the GPU works on the one before, on a stream of its own. */
class StreamFeed implements Feed {
  readonly #stream: cuda.Stream;
  #ahead: Ahead | undefined;
  #current: Ahead | undefined;

  constructor(
    private readonly batches: Batches,
    private readonly placement: Placement,
  ) {
    this.#stream = new cuda.Stream({ device: placement.device as cuda.CudaDevice });
  }

  get drawnBefore(): RandomState | undefined {
    return this.#ahead?.drawnBefore;
  }

  ready(): Promise<void> | undefined {
    if (this.#ahead === undefined) this.prefetch();
    const ahead = this.#ahead!;
    const { value } = ahead.loaded;
    if (ahead.moved !== undefined || !isPromise(value)) return undefined;
    return Promise.resolve(value).then((come) => void (ahead.moved = this.#move(come)));
  }

  next(): unknown {
    letGo(this.#current);
    this.#current = this.#ahead;
    this.#ahead = undefined;
    const batch = this.#current?.moved?.value;
    const current = cuda.currentStream();
    current.waitStream(this.#stream);
    // Their memory is the other stream's: it may not have it back before this one is done with it.
    for (const tensor of tensorsIn(batch)) if (tensor.isCuda) cuda.recordStream(tensor, current);
    return batch;
  }

  prefetch(): void {
    const drawnBefore = randomState(this.placement.device);
    const loaded = this.batches.next().value!;
    const moved = isPromise(loaded.value) ? undefined : this.#move(loaded.value);
    this.#ahead = { loaded, moved, drawnBefore };
  }

  #move(batch: unknown): Held<unknown> {
    return held(() => this.#stream.run(() => this.placement.move(batch)));
  }

  close(): void {
    letGo(this.#current);
    letGo(this.#ahead);
    this.#current = undefined;
    this.#ahead = undefined;
    this.batches.return?.();
  }
}

function letGo(batch: Ahead | undefined): void {
  batch?.moved?.letGo();
  batch?.loaded.letGo();
}
