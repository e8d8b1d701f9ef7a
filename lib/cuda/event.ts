import { boolean, kind } from '../kinds.js';
import { signature } from '../signature.js';
import { nativeCuda, type NativeEvent } from './native.js';
import type { Stream } from './stream.js';

export interface EventOptions {
  /** Whether `elapsedTime` can be asked. Default: false. */
  enableTiming?: boolean;
}

const eventTakes = signature<EventOptions>({}, { enableTiming: boolean });
const elapsedTakes = signature({ end: kind<Event>('an Event', (value) => value instanceof Event) });

/**
 * A mark in a stream's work, to wait for and to measure by. As `torch.cuda.Event`.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is no device.
 * @example
 * import { cuda, randn } from 'aiforge';
 * if (cuda.isAvailable()) {
 *   const x = randn([1024, 1024], { device: 'cuda' });
 *   const [start, end] = [new cuda.Event({ enableTiming: true }), new cuda.Event({ enableTiming: true })];
 *   cuda.currentStream().recordEvent(start);
 *   x.matmul(x);
 *   cuda.currentStream().recordEvent(end);
 *   end.synchronize();
 *   console.log(start.elapsedTime(end), 'ms');
 * }
 */
export class Event {
  readonly #native: NativeEvent;

  constructor(options: EventOptions = {}) {
    eventTakes.check(new.target.name, arguments);
    this.#native = nativeCuda().openEvent(options.enableTiming ?? false);
  }

  /** @internal */
  get native(): NativeEvent {
    return this.#native;
  }

  /** Puts it after the work that a stream has now. Default: the current stream. */
  record(stream?: Stream): void {
    nativeCuda().eventRecord(this.#native, stream?.native ?? nativeCuda().currentStream(null));
  }

  /** Whether the work before it is done; true while it was put nowhere. */
  query(): boolean {
    return nativeCuda().eventQuery(this.#native);
  }

  /** Resolves when the work before it is done; the event loop goes on meanwhile. */
  async synchronizeAsync(): Promise<void> {
    return nativeCuda().eventSynchronizeBeside(this.#native);
  }

  /** Makes the work that a stream gets later wait for it. Default: the current stream. */
  wait(stream?: Stream): void {
    nativeCuda().eventBlock(this.#native, stream?.native ?? nativeCuda().currentStream(null));
  }

  /** Waits, and the event loop with it, until the work before it is done. */
  synchronize(): void {
    nativeCuda().eventSynchronize(this.#native);
  }

  /**
   * Milliseconds of the device's time from this event to another. Throws OPERATOR_FAILED unless both were made with
   * `enableTiming` and are done.
   */
  elapsedTime(end: Event): number {
    elapsedTakes.check('Event.elapsedTime', arguments);
    return nativeCuda().eventElapsed(this.#native, end.#native);
  }
}
