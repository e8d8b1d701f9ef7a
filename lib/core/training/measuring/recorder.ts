import type { MetricPoint, Tracker } from '../../../tracking/tracker.js';

/** Takes a text, an image or a histogram to a tracker. */
export type Recording = (tracker: Tracker, at: MetricPoint) => void;

/** The texts, images and histograms of a step of the optimizer, or of a pass over a split: one of each name, the first. */
export class Recorder {
  readonly #recordings = new Map<string, Recording>();

  constructor(private readonly split: 'train' | 'val' | 'test') {}

  /** Takes what `make` gives for the name that a step logged, unless there is one of it. */
  add(name: string, make: (name: string) => Recording): void {
    const recorded = `${this.split}_${name}`;
    if (!this.#recordings.has(recorded)) this.#recordings.set(recorded, make(recorded));
  }

  write(tracker: Tracker, at: MetricPoint): void {
    for (const recording of this.#recordings.values()) recording(tracker, at);
  }
}
