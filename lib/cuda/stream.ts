import { anything, func, kind, optional, whole, type Kind } from '../kinds.js';
import { signature } from '../signature.js';
import { currentContext, runInContext } from '../tensor/context/context.js';
import { placeWithin } from '../tensor/context/devicePlace.js';
import { tensorKind } from '../tensor/kinds.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';
import { indexOf, type CudaDevice } from './device.js';
import { Event } from './event.js';
import { nativeCuda, type NativeStream } from './native.js';

const streamTakes = signature<StreamOptions>(
  {},
  { device: anything as Kind<CudaDevice>, priority: whole, of: anything as Kind<NativeStream> },
);
const runTakes = signature({ body: func() });
const isStream = kind<Stream>('a Stream', (value) => value instanceof Stream);
const isEvent = kind<Event>('an Event', (value) => value instanceof Event);
const waitEventTakes = signature({ event: isEvent });
const waitStreamTakes = signature({ stream: isStream });
const recordEventTakes = signature({ event: optional(isEvent) });
const recordTakes = signature({ tensor: tensorKind, stream: isStream });

export interface StreamOptions {
  /** Default: the current device. */
  device?: CudaDevice;
  /** A lower number goes first; the driver knows a few, 0 and below. Default: 0. */
  priority?: number;
  /** @internal A stream that is there already. */
  of?: NativeStream;
}

/**
 * A queue of work of one device: what is put in one stream runs in order, and beside what other streams have. As
 * `torch.cuda.Stream`. Memory belongs to the stream that it was made in: before another one uses a tensor, it must wait
 * (`waitStream`), and a tensor that may be released while it is used needs `recordStream`.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is no device.
 * @example
 * import { cuda, ones } from 'aiforge';
 * if (cuda.isAvailable()) {
 *   const x = ones([512, 512], { device: 'cuda' });
 *   const side = new cuda.Stream();
 *   side.waitStream(cuda.currentStream());
 *   const y = side.run(() => x.matmul(x)); // beside what the current stream does
 *   cuda.currentStream().waitStream(side);
 *   console.log(y.sum().item());
 * }
 */
export class Stream {
  readonly #native: NativeStream;

  constructor(options: StreamOptions = {}) {
    streamTakes.check(new.target.name, arguments);
    // Not in the parameter list: the published types would name `of`, which they leave out.
    const { device, priority = 0, of } = options;
    this.#native = of ?? nativeCuda().openStream(indexOf(device), priority);
  }

  /** @internal */
  get native(): NativeStream {
    return this.#native;
  }

  /** The number of its device. */
  get device(): number {
    return nativeCuda().streamInfo(this.#native).device;
  }

  /** Its number within the device. */
  get id(): number | bigint {
    return nativeCuda().streamInfo(this.#native).id;
  }

  /** Whether all its work is done. */
  query(): boolean {
    return nativeCuda().streamQuery(this.#native);
  }

  /** Resolves when all the work that it has now is done; the event loop goes on meanwhile. */
  async synchronizeAsync(): Promise<void> {
    return nativeCuda().streamSynchronizeBeside(this.#native);
  }

  /** Waits, and the event loop with it, until all its work is done. */
  synchronize(): void {
    nativeCuda().streamSynchronize(this.#native);
  }

  /** Makes the work that comes later wait for an event. */
  waitEvent(event: Event): void {
    waitEventTakes.check('Stream.waitEvent', arguments);
    nativeCuda().eventBlock(event.native, this.#native);
  }

  /** Makes the work that comes later wait for all that another stream has now. */
  waitStream(stream: Stream): void {
    waitStreamTakes.check('Stream.waitStream', arguments);
    this.waitEvent(stream.recordEvent());
  }

  /** Puts an event, a new one by default, after the work that it has now. */
  recordEvent(event?: Event): Event {
    recordEventTakes.check('Stream.recordEvent', arguments);
    event ??= new Event();
    nativeCuda().eventRecord(event.native, this.#native);
    return event;
  }

  /**
   * Runs a function with this stream and its device as the current ones, as `with torch.cuda.stream(…)`; returns what it
   * returns. Follows `await`.
   */
  run<T>(body: () => T): T {
    runTakes.check('Stream.run', arguments);
    return runInContext({ place: placeWithin(currentContext().place, this.device, this.#native) }, body);
  }
}

/** The stream that a device's operators go to in the running code. Default: the current device. Throws DEVICE_UNAVAILABLE where there is no device. */
export function currentStream(device?: CudaDevice): Stream {
  return new Stream({ of: nativeCuda().currentStream(indexOf(device)) });
}

/** The stream that a device's operators go to unless another was chosen. Throws DEVICE_UNAVAILABLE where there is no device. */
export function defaultStream(device?: CudaDevice): Stream {
  return new Stream({ of: nativeCuda().defaultStream(indexOf(device)) });
}

/** Keeps a tensor's memory, once the tensor is released, until the work that a stream has by then is done. */
export function recordStream(tensor: Tensor, stream: Stream): void {
  recordTakes.check('recordStream', arguments);
  nativeCuda().recordStream(handleOf(tensor), stream.native);
}
