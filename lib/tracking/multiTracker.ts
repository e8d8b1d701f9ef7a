import { childLogger } from '../log.js';
import type { TrackedHistogram } from './histogram.js';
import type { TrackedImage } from './image.js';
import type { MetricPoint, RunStatus, TrackedRun, Tracker } from './tracker.js';

const log = childLogger({ part: 'tracking' });

/** Several trackers as one. A tracker that throws costs one warning and is left out from then on. */
export class MultiTracker implements Tracker {
  readonly #trackers: Set<Tracker>;

  constructor(trackers: Iterable<Tracker>) {
    this.#trackers = new Set(trackers);
  }

  async start(run: TrackedRun): Promise<void> {
    await this.#each((tracker) => tracker.start(run));
  }

  logParams(params: object): void {
    for (const tracker of this.#trackers) this.#guard(tracker, () => tracker.logParams(params));
  }

  logChanges(changes: Record<string, { from: unknown; to: unknown }>, at: Pick<MetricPoint, 'step' | 'epoch'>): void {
    for (const tracker of this.#trackers) this.#guard(tracker, () => tracker.logChanges(changes, at));
  }

  logMetrics(metrics: Record<string, number>, at: MetricPoint): void {
    const point = timed(at);
    for (const tracker of this.#trackers) this.#guard(tracker, () => tracker.logMetrics(metrics, point));
  }

  logText(name: string, text: string, at: MetricPoint): void {
    const point = timed(at);
    for (const tracker of this.#trackers) this.#guard(tracker, () => tracker.logText?.(name, text, point));
  }

  logImage(name: string, image: TrackedImage, at: MetricPoint): void {
    const point = timed(at);
    for (const tracker of this.#trackers) this.#guard(tracker, () => tracker.logImage?.(name, image, point));
  }

  logHistogram(name: string, histogram: TrackedHistogram, at: MetricPoint): void {
    const point = timed(at);
    for (const tracker of this.#trackers) this.#guard(tracker, () => tracker.logHistogram?.(name, histogram, point));
  }

  flush(): void {
    for (const tracker of this.#trackers) this.#guard(tracker, () => tracker.flush?.());
  }

  async finish(status: RunStatus): Promise<void> {
    await this.#each((tracker) => tracker.finish(status));
  }

  async #each(work: (tracker: Tracker) => Promise<void>): Promise<void> {
    // The async function turns a tracker that throws at once into a rejection like any other.
    const run = async (tracker: Tracker): Promise<void> => work(tracker);
    await Promise.all(
      [...this.#trackers].map((tracker) => run(tracker).catch((error: unknown) => this.#drop(tracker, error))),
    );
  }

  #guard(tracker: Tracker, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#drop(tracker, error);
    }
  }

  #drop(tracker: Tracker, error: unknown): void {
    this.#trackers.delete(tracker);
    log.warn({ err: error }, `${tracker.constructor.name} failed and records no more of this run. Training goes on.`);
  }
}

/** One time for all, so that the same point can be found in each of them. */
const timed = (at: MetricPoint): MetricPoint => (at.time === undefined ? { ...at, time: Date.now() } : at);
