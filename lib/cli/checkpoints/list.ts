import { statSync } from 'node:fs';
import path from 'node:path';

import { checkpointFiles, describedByHeader } from '../../core/checkpoints/checkpointFiles.js';
import { loadChecked } from '../../core/checkpoints/checksum.js';
import { readManifest, type ManifestEntry } from '../../core/checkpoints/manifest.js';
import { isError } from '../../realms.js';
import { scope } from '../../tensor/index.js';
import { runAt } from './arguments.js';
import { sizeText, table } from '../table.js';

/** `aiforge checkpoints ls`: lists the checkpoints and weights of a run; gives the exit status. */
export function list(run: string, { verify = false }: { verify?: boolean }): number {
  const files = runAt(run);
  const known = readManifest(files.manifest);
  const all = checkpointFiles(files);
  if (all.length === 0) {
    process.stdout.write(`${run} has no checkpoints.\n`);
    return 0;
  }
  let isRight = true;
  const rows = all.map(({ name, kind }) => {
    const file = path.join(files.directory, name);
    const own = describedByHeader(file, kind);
    // What the manifest says of another content is not this file's.
    const entry = own !== undefined && known[name]?.sha256 === own.sha256 ? known[name] : own;
    const row = [name, kind, ...describe(entry), sizeText(statSync(file).size)];
    if (!verify) return row;
    const isWhole = own !== undefined && isUndamaged(file);
    isRight &&= isWhole;
    return [...row, isWhole ? 'right' : 'damaged'];
  });
  const header = ['file', 'kind', 'epoch', 'step', 'metric', 'time', 'size', ...(verify ? ['checksum'] : [])];
  process.stdout.write(`${table([header, ...rows], new Set([2, 3, 6]))}\n`);
  return isRight ? 0 : 1;
}

/** Epoch, step, metric and time. */
function describe(entry: ManifestEntry | undefined): string[] {
  if (entry === undefined) return ['?', '?', '', ''];
  const { kind, epoch, step, metric, value, time } = entry;
  const measured = metric === undefined || value === undefined ? '' : `${metric} ${value.toPrecision(6)}`;
  const isUnknown = kind === 'weights' && step === 0;
  return [String(epoch), isUnknown ? '' : String(step), measured, time.slice(0, 19).replace('T', ' ')];
}

function isUndamaged(file: string): boolean {
  try {
    scope(() => void loadChecked(file, () => true));
    return true;
  } catch (error) {
    if (isError(error)) return false;
    throw error;
  }
}
