import * as cuda from '../../cuda/index.js';
import { pinBatch } from '../../data/moveToDevice.js';
import { AiforgeError } from '../../errors.js';
import type { Device } from '../../tensor/index.js';
import { tensorsIn } from '../../tensor/memory/scope.js';
import { BaseModel } from '../baseModel.js';
import { called } from '../plugins/calls.js';
import { randomState, type RandomState } from '../randomState.js';
import { held, type Held } from './held.js';

/** Where a model trains, and how batches come there. */
export class Placement {
  constructor(
    private readonly model: BaseModel,
    readonly device: Device,
    private readonly pinsMemory: boolean,
  ) {}

  /** The batches of a pass as they come to the device. */
  feed(batches: Iterator<unknown, void>): Feed {
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
  /** The next batch on the device; the caller's scope, or the next call, ends it. */
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

  constructor(
    private readonly batches: Iterator<unknown, void>,
    private readonly placement: Placement,
  ) {}

  next(): unknown {
    return this.placement.move(this.batches.next().value);
  }

  prefetch(): void {
    // Nothing would go on meanwhile.
  }

  close(): void {
    // The scope of a step has let go of its batch.
  }
}

/** Loads and copies a batch while the GPU works on the one before, on a stream of its own. */
class StreamFeed implements Feed {
  readonly #stream: cuda.Stream;
  #ahead: (Held<unknown> & { drawnBefore: RandomState }) | undefined;
  #current: Held<unknown> | undefined;

  constructor(
    private readonly batches: Iterator<unknown, void>,
    private readonly placement: Placement,
  ) {
    this.#stream = new cuda.Stream({ device: placement.device as cuda.CudaDevice });
  }

  get drawnBefore(): RandomState | undefined {
    return this.#ahead?.drawnBefore;
  }

  next(): unknown {
    if (this.#ahead === undefined) this.prefetch();
    this.#current?.letGo();
    this.#current = this.#ahead;
    this.#ahead = undefined;
    const batch = this.#current?.value;
    const current = cuda.currentStream();
    current.waitStream(this.#stream);
    // Their memory is the other stream's: it may not have it back before this one is done with it.
    for (const tensor of tensorsIn(batch)) if (tensor.isCuda) cuda.recordStream(tensor, current);
    return batch;
  }

  prefetch(): void {
    const drawnBefore = randomState(this.placement.device);
    const loaded = held(() => {
      const { value } = this.batches.next();
      return this.#stream.run(() => this.placement.move(value));
    });
    this.#ahead = { ...loaded, drawnBefore };
  }

  close(): void {
    this.#current?.letGo();
    this.#ahead?.letGo();
    this.#current = undefined;
    this.#ahead = undefined;
  }
}
