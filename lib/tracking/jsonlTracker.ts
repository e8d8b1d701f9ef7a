import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { childLogger } from '../log.js';
import type { MetricPoint, RunStatus, TrackedRun, Tracker } from './tracker.js';

const log = childLogger({ part: 'tracking' });

/**
 * Appends to `metrics.jsonl` in the run's folder, one JSON object a line with its `kind`: `start`, `params`, `metrics`,
 * `finish`. A line is with the operating system when the call returns. NaN and infinities are written as strings.
 */
export class JsonlTracker implements Tracker {
  #file: string | undefined;
  #descriptor: number | undefined;

  start(run: TrackedRun): Promise<void> {
    this.#file = join(run.directory, 'metrics.jsonl');
    this.#guard(() => {
      mkdirSync(run.directory, { recursive: true });
      this.#descriptor = openForAppending(join(run.directory, 'metrics.jsonl'));
    });
    this.#write({ kind: 'start', time: Date.now(), experimentName: run.experimentName, runName: run.runName });
    return Promise.resolve();
  }

  logParams(params: object): void {
    this.#write({ kind: 'params', time: Date.now(), params });
  }

  logMetrics(metrics: Record<string, number>, at: MetricPoint): void {
    this.#write({ kind: 'metrics', time: at.time ?? Date.now(), epoch: at.epoch, step: at.step, metrics });
  }

  finish(status: RunStatus): Promise<void> {
    this.#write({ kind: 'finish', time: Date.now(), status });
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
    return Promise.resolve();
  }

  #write(record: object): void {
    const descriptor = this.#descriptor;
    if (descriptor !== undefined) this.#guard(() => writeFully(descriptor, `${JSON.stringify(record, finite)}\n`));
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

/** JSON has no NaN and no infinities, and null would hide which it was. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** A crash may have left half a line: what follows begins on a line of its own. */
function openForAppending(file: string): number {
  const descriptor = openSync(file, 'a+');
  const { size } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last.toString() !== '\n')
    writeSync(descriptor, '\n');
  return descriptor;
}

function writeFully(descriptor: number, line: string): void {
  const bytes = Buffer.from(line);
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}
