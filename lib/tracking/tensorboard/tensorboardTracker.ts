import { join } from 'node:path';

import { childLogger } from '../../log.js';
import { flattenParams } from '../flatten.js';
import type { TrackedHistogram } from '../histogram.js';
import type { TrackedImage } from '../image.js';
import { readRecords, type JsonlRecord } from '../jsonlRecords.js';
import { readMedia } from '../media.js';
import { encodePng } from '../png.js';
import type { MetricPoint, TrackedRun, Tracker } from '../tracker.js';
import { histogramEvent, imageEvent, scalarEvent, startEvent, textEvent, type EventPoint } from './event.js';
import { EventFile, emptyOthers } from './eventFile.js';

const log = childLogger({ part: 'tracking' });

/**
 * Writes event files for TensorBoard into `tensorboard` in the run's folder. A run that goes on writes what `metrics.jsonl` has
 * of it into a new file and empties those before: so each step is there once, whatever a killed process had
 * written. The run's {@link JsonlTracker} is therefore started before.
 */
export class TensorboardTracker implements Tracker {
  #folder = '';
  #file: EventFile | undefined;

  start(run: TrackedRun): Promise<void> {
    this.#folder = join(run.directory, 'tensorboard');
    this.#guard(() => {
      const file = new EventFile(this.#folder);
      this.#file = file;
      // A TensorBoard that has read the files before forgets what it has.
      file.write(startEvent({ step: 0, time: Date.now() }));
      if (run.goesOnFrom !== undefined)
        for (const record of readRecords(run.directory)) this.#repeat(record, run.directory);
      emptyOthers(this.#folder, file);
    });
    return Promise.resolve();
  }

  logParams(params: object): void {
    this.#logParams(params, Date.now());
  }

  logChanges(changes: Record<string, { from: unknown; to: unknown }>, { step }: Pick<MetricPoint, 'step'>): void {
    this.#logChanges(changes, { step, time: Date.now() });
  }

  logMetrics(metrics: Record<string, number>, at: MetricPoint): void {
    this.#write(() => scalarEvent(metrics, pointOf(at)));
  }

  logText(name: string, text: string, at: MetricPoint): void {
    this.#write(() => textEvent(name, text, pointOf(at)));
  }

  logHistogram(name: string, histogram: TrackedHistogram, at: MetricPoint): void {
    this.#write(() => histogramEvent(name, histogram, pointOf(at)));
  }

  logImage(name: string, image: TrackedImage, at: MetricPoint): void {
    this.#write(() => imageEvent(name, { ...image, png: encodePng(image) }, pointOf(at)));
  }

  finish(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
    return Promise.resolve();
  }

  #logParams(params: object, time: number): void {
    this.#write(() => textEvent('settings', tableOf(['setting', 'value'], Object.entries(flattenParams(params))), { step: 0, time })); // prettier-ignore
  }

  #logChanges(changes: Record<string, { from: unknown; to: unknown }>, at: EventPoint): void {
    const rows = Object.entries(changes).map(([name, { from, to }]) => [name, shown(from), shown(to)]);
    this.#write(() => textEvent('changes', tableOf(['setting', 'before', 'from this step on'], rows), at));
  }

  /** Writes what a line of `metrics.jsonl` says. */
  #repeat(record: JsonlRecord, directory: string): void {
    const { kind, metrics, name, text, histogram, params, changes } = record;
    const at = { step: record.step ?? 0, time: record.time ?? Date.now() };
    if (kind === 'params' && params !== undefined) this.#logParams(params, at.time);
    if (kind === 'changes' && changes !== undefined) this.#logChanges(changes, at);
    if (kind === 'metrics' && metrics !== undefined) this.#write(() => scalarEvent(numbersOf(metrics), at));
    if (name === undefined) return;
    if (kind === 'text' && text !== undefined) this.#write(() => textEvent(name, text, at));
    if (kind === 'histogram' && histogram !== undefined)
      this.#write(() => histogramEvent(name, withNumbers(histogram), at));
    if (kind === 'image') this.#repeatImage(name, record, directory, at);
  }

  #repeatImage(name: string, { file, width = 0, height = 0 }: JsonlRecord, directory: string, at: EventPoint): void {
    const png = readMedia(directory, file);
    if (png !== undefined) this.#write(() => imageEvent(name, { width, height, channels: channelsOf(png), png }, at));
  }

  #write(make: () => Uint8Array): void {
    this.#guard(() => this.#file?.write(make()));
  }

  /** A full disk must not end a run: the tracker warns once and stays silent from then on. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      void this.finish();
      log.warn(
        { err: error },
        `Event files are no longer written to ${this.#folder}; check the disk. Training goes on.`,
      );
    }
  }
}

const shown = (setting: unknown): string => (setting === undefined ? 'not set' : JSON.stringify(setting));

const pointOf = ({ step, time = Date.now() }: MetricPoint): EventPoint => ({ step, time });

/** JSON has no NaN and no infinities: they were written as texts. */
const numbersOf = (metrics: NonNullable<JsonlRecord['metrics']>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value)]));

/** Sums may be infinite, as texts too. */
const withNumbers = (histogram: TrackedHistogram): TrackedHistogram => ({
  ...histogram,
  sum: Number(histogram.sum),
  sumOfSquares: Number(histogram.sumOfSquares),
});

/** A PNG file has its colour type in byte 25: grey, RGB, RGB and opacity. */
const channelsOf = (png: Uint8Array): number => ({ 2: 3, 6: 4 })[png[25] ?? 0] ?? 1;

/** A table in Markdown. */
function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replace(/[\\|]/g, '\\$&').replace(/\s+/g, ' ')).join(' | ')} |`; // prettier-ignore
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
