import { statSync } from 'node:fs';
import path from 'node:path';

import { RunLock } from '../../core/runs/runLock.js';
import { readRecords, type JsonlRecord } from '../../tracking/jsonlRecords.js';
import { settingsOf, type FlatSettings } from './runSettings.js';

export const statuses = ['finished', 'interrupted', 'failed', 'running', 'died'] as const;
/** How a run ended; `died` where it did not say so and nobody works on it. */
export type Status = (typeof statuses)[number];

/** What a folder says of its run. */
export interface RecordedRun {
  directory: string;
  /** Its experiment and its folder's name. */
  name: string;
  experiment: string;
  /** Milliseconds since 1970. */
  start: number;
  status: Status;
  /** The epochs that have ended, and how many there were to be. */
  epochs: number;
  plannedEpochs: number | undefined;
  /** The metric that is watched, with its best value and the epoch of that. */
  monitor: { name: string; mode: 'min' | 'max'; best: number | undefined; epoch: number | undefined };
  /** How long processes worked on it, in seconds. */
  seconds: number;
  settings: FlatSettings | undefined;
  records: JsonlRecord[];
}

/** Reads a run; for a list, without what was recorded with each step. */
export function readRun(directory: string, { steps = true } = {}): RecordedRun {
  const records = readRecords(directory, steps ? undefined : isOfNoStep);
  const settings = settingsOf(directory);
  const first = records.find(({ kind }) => kind === 'start');
  const experiment = text(first?.experimentName) ?? text(settings?.experimentName) ?? path.basename(path.dirname(path.resolve(directory))); // prettier-ignore
  const isHeld = RunLock.isHeld(directory);
  const planned = settings?.['training.epochs'];
  return {
    directory,
    name: `${path.basename(path.dirname(path.resolve(directory)))}/${path.basename(path.resolve(directory))}`,
    experiment,
    start: first?.time ?? statSync(directory).mtimeMs,
    status: statusOf(records, isHeld),
    epochs: Math.max(0, ...epochsIn(records).map(({ epoch }) => epoch ?? 0)),
    plannedEpochs: typeof planned === 'number' ? planned : undefined,
    monitor: monitorOf(records, settings ?? {}),
    seconds: secondsOf(records, isHeld),
    settings,
    records,
  };
}

/** The lines of the epochs. */
export const epochsIn = (records: readonly JsonlRecord[]): JsonlRecord[] =>
  records.filter(({ kind, interval }) => kind === 'metrics' && interval === 'epoch');

/** The best epoch's metrics, those of the last one where none is the best, and the test's. */
export function scoresOf({ records, monitor }: RecordedRun): Record<string, number> {
  const epochs = epochsIn(records);
  const best = epochs.find(({ epoch }) => epoch === monitor.epoch) ?? epochs.at(-1);
  const test = records.findLast(({ kind, interval }) => kind === 'metrics' && interval === 'run');
  const all = Object.entries({ ...best?.metrics, ...test?.metrics });
  return Object.fromEntries(all.map(([name, value]) => [name, Number(value)]));
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Lines of steps are most of a file, and nobody needs them for a list; the time of the last one is that of its end. */
const isOfNoStep = (line: string, isLast: boolean): boolean => isLast || !line.includes('"interval":"step"');

function statusOf(records: readonly JsonlRecord[], isHeld: boolean): Status {
  if (isHeld) return 'running';
  const last = records.findLast(({ kind }) => kind === 'start' || kind === 'finish');
  if (last?.kind !== 'finish') return 'died';
  return last.status === 'FINISHED' ? 'finished' : last.status === 'FAILED' ? 'failed' : 'interrupted';
}

function monitorOf(records: readonly JsonlRecord[], settings: FlatSettings): RecordedRun['monitor'] {
  const name = text(settings['training.earlyStoppingMonitor']) ?? 'val_loss';
  const mode = settings['training.earlyStoppingMode'] === 'max' ? 'max' : 'min';
  const sign = mode === 'max' ? -1 : 1;
  const values = epochsIn(records)
    .map(({ epoch, metrics }) => ({ epoch, value: metrics?.[name] === undefined ? NaN : Number(metrics[name]) }))
    .filter(({ value }) => !Number.isNaN(value));
  const best = values.reduce<(typeof values)[number] | undefined>((a, b) => (a !== undefined && sign * a.value <= sign * b.value ? a : b), undefined); // prettier-ignore
  return { name, mode, best: best?.value, epoch: best?.epoch };
}

/** From each start to the last line before the next one. */
function secondsOf(records: readonly JsonlRecord[], isHeld: boolean): number {
  const timed = records.filter(({ time }) => typeof time === 'number');
  let total = 0;
  timed.forEach(({ kind, time }, i) => {
    if (kind === 'start' || i === 0) return;
    total += Math.max(0, time! - timed[i - 1]!.time!);
  });
  const last = timed.at(-1);
  if (isHeld && last !== undefined && last.kind !== 'finish') total += Math.max(0, Date.now() - last.time!);
  return total / 1000;
}
