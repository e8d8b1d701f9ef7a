import { AiforgeError } from '../errors.js';
import { logger } from '../log.js';
import { mirror, native } from '../native.js';
import { readEvents, type ProfilerEvent, type RawRecording } from './events.js';

interface NativeProfiler {
  profilerStart(shapes: boolean, memory: boolean, mostEvents: number): void;
  /** The number of a range, -1 where there is no room for one more. */
  profilerEnter(name: string, isModule: boolean): number;
  /** What comes now is no longer inside the range, which goes on. */
  profilerSuspend(range: number): void;
  profilerLeave(range: number): void;
  profilerStop(): RawRecording;
}

const addon = native as unknown as NativeProfiler;

/** Of this thread, for all copies of the library in it. */
const state = mirror('profiler', () => ({ isRunning: false, serial: 0 }));

/** What LibTorch is asked to record. */
export interface RecordingOptions {
  shapes: boolean;
  memory: boolean;
  /** 0 for the memory alone. */
  maxEvents: number;
}

/** What was recorded, with the memory that came and went outside all operators. */
export interface Recorded {
  events: ProfilerEvent[];
  /** For how long it was recorded, in microseconds. */
  duration: number;
  /** Bytes outside all operators: those of garbage collection and of scopes that end. */
  outside: { cpuBytes: number; deviceBytes: number };
  /** The most bytes that there were at a time beyond those at the beginning, where memory was recorded. */
  peak: { cpuBytes: number; deviceBytes: number };
  /** How many events found no room. */
  dropped: number;
  options: RecordingOptions;
}

export const isRecording = (): boolean => state.isRunning;

/** Begins to record what this thread does, and the engine's threads for it; gives what ends it. */
export function startRecording(who: string, options: RecordingOptions): () => Recorded {
  if (state.isRunning) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${who}: a profile runs already in this thread, and what is recorded goes to one only: end that one first.`,
    );
  }
  addon.profilerStart(options.shapes, options.memory, options.maxEvents);
  state.isRunning = true;
  const serial = ++state.serial;
  return () => {
    if (!state.isRunning || state.serial !== serial) {
      throw new AiforgeError('INVALID_ARGUMENT', `${who}: this recording has ended already.`);
    }
    state.isRunning = false;
    const raw = addon.profilerStop();
    if (raw.dropped > 0) logger.warn(droppedText(raw.dropped, options.maxEvents));
    const outside = { cpuBytes: 0, deviceBytes: 0 };
    for (const { cpuBytes, deviceBytes } of raw.threads) {
      outside.cpuBytes += cpuBytes;
      outside.deviceBytes += deviceBytes;
    }
    const peak = { cpuBytes: raw.cpuPeak, deviceBytes: raw.devicePeak };
    const { dropped } = raw;
    return { events: readEvents(raw), duration: raw.end / 1000, outside, peak, dropped, options };
  };
}

export function droppedText(dropped: number, maxEvents: number): string {
  return (
    `${dropped} events were not recorded: there is room for ${maxEvents}, in which shapes count too. ` +
    'Profile fewer steps, do without recordShapes, or give a larger maxEvents.'
  );
}

/** A range of JavaScript that is under way. */
export interface OpenRange {
  readonly range: number;
  readonly serial: number;
}

export function enterRange(name: string, isModule = false): OpenRange {
  return { range: addon.profilerEnter(name, isModule), serial: state.serial };
}

const isCurrent = ({ range, serial }: OpenRange): boolean => range >= 0 && state.isRunning && serial === state.serial;

/** Has what comes now no longer be inside a range, which goes on. */
export function suspendRange(open: OpenRange): void {
  if (isCurrent(open)) addon.profilerSuspend(open.range);
}

export function leaveRange(open: OpenRange): void {
  if (isCurrent(open)) addon.profilerLeave(open.range);
}
