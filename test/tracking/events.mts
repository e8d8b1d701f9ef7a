import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';

/** What TensorBoard's reader finds, each entry with its step. */
export interface Events {
  scalars: Record<string, [step: number, value: number | string, time: number][]>;
  histograms: Record<
    string,
    [step: number, histogram: Record<string, number> & { bucket: number[]; bucket_limit: number[] }][]
  >;
  images: Record<string, [step: number, image: { width: number; height: number; bytes: string }][]>;
  texts: Record<string, [step: number, text: string][]>;
}

/** Why TensorBoard cannot read here, or undefined when it can. */
export function tensorboardMissing(): string | undefined {
  const python = process.env.AIFORGE_REFERENCE_PYTHON;
  if (!python) return 'AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`';
  const { error, status } = spawnSync(python, ['-c', 'import importlib.util as u; assert u.find_spec("tensorboard")']);
  return error || status !== 0 ? `${python} has no tensorboard` : undefined;
}

/** What TensorBoard reads in a folder; by a reader that has read before `command` is run and goes on after it, if one is given. */
export function readEvents(folder: string, command: readonly string[] = []): Events {
  const script = path.resolve('test/tracking/read_events.py');
  const printed = execFileSync(process.env.AIFORGE_REFERENCE_PYTHON!, [script, folder, ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(printed) as Events;
}

/** The events of a file as they lie in it, after a check of what TensorBoard checks: lengths and masked checksums. */
export function eventsIn(file: Buffer, masked: (bytes: Uint8Array) => number): Buffer[] {
  const events: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const event = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 8) !== masked(file.subarray(at, at + 8))) throw new Error(`a wrong length at ${at}`);
    if (file.readUInt32LE(at + 12 + length) !== masked(event)) throw new Error(`a wrong event at ${at}`);
    events.push(event);
    at += 16 + length;
  }
  return events;
}
