import { Buffer } from 'node:buffer';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { writeFileAtomic } from '../atomicFile.js';
import type { TrackedHistogram } from './histogram.js';
import { removeMedia } from './media.js';
import type { RunStatus } from './tracker.js';

/** A line of `metrics.jsonl`. */
export interface JsonlRecord {
  kind?: string;
  time?: number;
  epoch?: number;
  step?: number;
  batch?: number;
  interval?: 'step' | 'validation' | 'epoch' | 'run';
  metrics?: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>;
  params?: object;
  status?: RunStatus;
  experimentName?: string;
  changes?: Record<string, { from: unknown; to: unknown }>;
  /** Of a text, a histogram or an image. */
  name?: string;
  text?: string;
  histogram?: TrackedHistogram;
  /** A path in the run's folder. */
  file?: string;
  width?: number;
  height?: number;
}

/** What is recorded at a point of the run. */
const pointed = ['metrics', 'text', 'histogram', 'image'];

/**
 * The lines of the `metrics.jsonl` in a folder, without one that a crash cut short; none where there is no file. `isWanted` may
 * pass lines by that need not be parsed.
 */
export function readRecords(
  directory: string,
  isWanted: (line: string, isLast: boolean) => boolean = () => true,
): JsonlRecord[] {
  const file = join(directory, 'metrics.jsonl');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return [];
  const records: JsonlRecord[] = [];
  for (const { text, isLast } of linesOf(file)) {
    const record = isWanted(text, isLast) ? parse(text) : undefined;
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** Where a run goes on from. */
export interface GoesOnFrom {
  step: number;
  epoch: number;
  validatedBatch: number;
}

/**
 * Drops what a run recorded after the point from which it goes on, and half a line that a crash may have left; gives how many
 * of the steps up to that point are there.
 */
export function dropLater(file: string, from: GoesOnFrom): number {
  const steps = new Set<number>();
  const dropped = new Set<number>();
  const media = { kept: new Set<string>(), dropped: new Set<string>() };
  let number = 0;
  let isCut = false;
  for (const { text, isEnded } of linesOf(file)) {
    const record = parse(text);
    const isKept = record !== undefined && isBefore(record, from);
    if (!isKept) dropped.add(number);
    else if (isOfStep(record)) steps.add(record.step!);
    if (record?.file !== undefined) (isKept ? media.kept : media.dropped).add(record.file);
    isCut = !isEnded;
    ++number;
  }
  if (dropped.size > 0 || isCut) writeFileAtomic(file, linesWithout(file, dropped));
  for (const name of media.dropped) if (!media.kept.has(name)) removeMedia(dirname(file), name);
  return [...steps].filter((step) => step >= 1 && step <= from.step).length;
}

const isOfStep = ({ kind, interval, step }: JsonlRecord): boolean =>
  kind === 'metrics' && interval === 'step' && step !== undefined;

function isBefore({ kind, epoch = 0, step = 0, batch = 0, interval }: JsonlRecord, from: GoesOnFrom): boolean {
  if (kind === 'changes') return step < from.step;
  if (kind === undefined || !pointed.includes(kind)) return true;
  // The epoch that is gone on with ends again, and so does the run.
  if (interval === 'run') return from.epoch === Infinity;
  if (epoch < from.epoch) return true;
  if (epoch !== from.epoch) return false;
  return interval === 'validation' ? batch <= from.validatedBatch : step <= from.step && interval === 'step';
}

function* linesWithout(file: string, dropped: ReadonlySet<number>): Generator<Uint8Array> {
  let number = 0;
  let waiting = '';
  for (const { text } of linesOf(file)) {
    if (dropped.has(number++)) continue;
    waiting += `${text}\n`;
    if (waiting.length < chunkBytes) continue;
    yield Buffer.from(waiting);
    waiting = '';
  }
  yield Buffer.from(waiting);
}

function parse(line: string): JsonlRecord | undefined {
  try {
    return JSON.parse(line) as JsonlRecord;
  } catch {
    return undefined;
  }
}

const chunkBytes = 2 ** 20;
const newline = 0x0a;

interface ReadLine {
  text: string;
  /** Whether a newline ends it. */
  isEnded: boolean;
  isLast: boolean;
}

/** The lines of a file that are not empty, however long the file is: a text of all of it has a limit of half a gigabyte. */
function* linesOf(file: string): Generator<ReadLine> {
  let before: Omit<ReadLine, 'isLast'> | undefined;
  for (const line of endedLines(file)) {
    if (line.text === '') continue;
    if (before !== undefined) yield { ...before, isLast: false };
    before = line;
  }
  if (before !== undefined) yield { ...before, isLast: true };
}

function* endedLines(file: string): Generator<Omit<ReadLine, 'isLast'>> {
  const descriptor = openSync(file, 'r');
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let begun: Buffer[] = [];
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0 && end < read; end = chunk.indexOf(newline, start)) {
        begun.push(chunk.subarray(start, end));
        yield { text: Buffer.concat(begun).toString(), isEnded: true };
        begun = [];
        start = end + 1;
      }
      // The chunk is read into again.
      if (start < read) begun.push(Buffer.from(chunk.subarray(start, read)));
    }
    if (begun.length > 0) yield { text: Buffer.concat(begun).toString(), isEnded: false };
  } finally {
    closeSync(descriptor);
  }
}
