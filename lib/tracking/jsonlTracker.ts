import { Buffer } from 'node:buffer';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { appendWhole, makeFolders } from '../atomicFile.js';
import { childLogger } from '../log.js';
import type { TrackedHistogram } from './histogram.js';
import type { TrackedImage } from './image.js';
import { dropLater } from './jsonlRecords.js';
import { writeMedia } from './media.js';
import type { MetricPoint, RunStatus, TrackedRun, Tracker } from './tracker.js';

const log = childLogger({ part: 'tracking' });

/**
 * Appends to `metrics.jsonl` in the run's folder, one JSON object a line with its `kind`: `start`, `params`, `changes`,
 * `metrics`, `text`, `histogram`, `image`, `finish`. Images are PNG files in the folder's `media`, which their lines name. A line is with the
 * operating system when the call returns; those of steps that come faster than ten a second wait for each other so long, or until
 * `flush` is called, as it is before each checkpoint. NaN and infinities are written as strings.
 * A run that goes on from a checkpoint first drops what was written after it, so that each step is there once.
 */
export class JsonlTracker implements Tracker {
  #file: string | undefined;
  #directory = '';
  #toldOfImages = false;
  #descriptor: number | undefined;
  /** Lines of steps: to write each by itself takes as long as much of a small step. */
  #waiting: Line[] = [];
  #flushed = -Infinity;
  #statusAtExit: RunStatus = 'KILLED';
  /** Whatever ends the process, short of a kill, is the end of the run. */
  readonly #onExit = (): void => void this.finish(this.#statusAtExit);
  readonly #onUncaught = (): void => void (this.#statusAtExit = 'FAILED');

  start(run: TrackedRun): Promise<void> {
    const file = join(run.directory, 'metrics.jsonl');
    this.#file = file;
    this.#directory = run.directory;
    this.#guard(() => {
      makeFolders(run.directory);
      const from = run.goesOnFrom ?? { step: Infinity, epoch: Infinity, validatedBatch: Infinity };
      const recorded = statSync(file, { throwIfNoEntry: false })?.isFile() ? dropLater(file, from) : 0;
      if (run.goesOnFrom !== undefined) warnOfGap(file, recorded, run.goesOnFrom.step);
      this.#descriptor = openSync(file, 'a');
    });
    const { experimentName, runName, goesOnFrom } = run;
    const from = goesOnFrom && { step: goesOnFrom.step, epoch: goesOnFrom.epoch };
    this.#write({ kind: 'start', time: Date.now(), experimentName, runName, ...from });
    process.once('exit', this.#onExit);
    process.on('uncaughtExceptionMonitor', this.#onUncaught);
    return Promise.resolve();
  }

  logChanges(changes: Record<string, { from: unknown; to: unknown }>, at: Pick<MetricPoint, 'step' | 'epoch'>): void {
    this.#write({ kind: 'changes', time: Date.now(), epoch: at.epoch, step: at.step, changes });
  }

  logParams(params: object): void {
    this.#write({ kind: 'params', time: Date.now(), params });
  }

  logMetrics(metrics: Record<string, number>, at: MetricPoint): void {
    const { epoch, step, batch, interval = 'step', time = Date.now() } = at;
    // What is written later is what is true now.
    const record = { kind: 'metrics', time, epoch, step, batch, interval, metrics: { ...metrics } };
    if (interval === 'step') this.#writeSoon(record);
    else this.#write(record);
  }

  logText(name: string, text: string, at: MetricPoint): void {
    this.#write({ kind: 'text', ...pointOf(at), name, text });
  }

  logHistogram(name: string, histogram: TrackedHistogram, at: MetricPoint): void {
    this.#write({ kind: 'histogram', ...pointOf(at), name, histogram });
  }

  logImage(name: string, image: TrackedImage, at: MetricPoint): void {
    if (this.#descriptor === undefined) return;
    try {
      const file = writeMedia(this.#directory, name, image, at);
      this.#write({ kind: 'image', ...pointOf(at), name, file, width: image.width, height: image.height });
    } catch (error) {
      if (!this.#toldOfImages) log.warn({ err: error }, `The image '${name}' is not recorded; check the disk. Training goes on.`); // prettier-ignore
      this.#toldOfImages = true;
    }
  }

  flush(): void {
    const descriptor = this.#descriptor;
    const records = this.#waiting.splice(0);
    if (descriptor === undefined || records.length === 0) return;
    this.#flushed = performance.now();
    this.#guard(() => appendWhole(descriptor, Buffer.from(records.map(lineOf).join(''))));
  }

  finish(status: RunStatus): Promise<void> {
    process.off('exit', this.#onExit);
    process.off('uncaughtExceptionMonitor', this.#onUncaught);
    this.#write({ kind: 'finish', time: Date.now(), status });
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
    return Promise.resolve();
  }

  #write(record: Line): void {
    this.#waiting.push(record);
    this.flush();
  }

  #writeSoon(record: Line): void {
    // Where nothing is written any more, nothing waits.
    if (this.#descriptor === undefined) return;
    this.#waiting.push(record);
    const isDue = performance.now() - this.#flushed >= longestWaitMs || this.#waiting.length >= mostWaiting;
    if (isDue) this.flush();
    else if (this.#waiting.length === 1) setTimeout(() => this.flush(), longestWaitMs).unref();
  }

  /** A full disk must not end a run: the tracker warns once and stays silent from then on. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      const descriptor = this.#descriptor;
      this.#descriptor = undefined;
      if (descriptor !== undefined) closeSync(descriptor);
      log.warn({ err: error }, `Metrics are no longer written to ${this.#file}; check the disk. Training goes on.`);
    }
  }
}

const mostWaiting = 1024;
const longestWaitMs = 100;

/** What becomes a line. */
type Line = Record<string, unknown> & { kind: string; metrics?: Record<string, number> };

function lineOf(record: Line): string {
  // There is a line for each step, and a replacer is called for each of its values: only where there is something to replace.
  const isPlain = record.metrics !== undefined && Object.values(record.metrics).every(Number.isFinite);
  return `${isPlain ? JSON.stringify(record) : JSON.stringify(record, finite)}\n`;
}

function pointOf({ epoch, step, batch, interval = 'step', time = Date.now() }: MetricPoint) {
  return { time, epoch, step, batch, interval };
}

/** JSON has no NaN and no infinities, and null would hide which it was. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** A run that goes on from a step has recorded each step up to it. */
function warnOfGap(file: string, recorded: number, step: number): void {
  const missing = step - recorded;
  if (missing > 0)
    log.warn(`${file} lacks ${missing} of the ${step} steps before this point: it was shortened, damaged or removed.`);
}
