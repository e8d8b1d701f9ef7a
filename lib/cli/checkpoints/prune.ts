import { rmSync, statSync } from 'node:fs';
import path from 'node:path';

import { checkpointFiles, reconcile } from '../../core/checkpoints/checkpointFiles.js';
import { dropEarlierBests } from '../../core/checkpoints/earlierBest.js';
import { Manifest } from '../../core/checkpoints/manifest.js';
import { RunLock } from '../../core/runs/runLock.js';
import type { RunFiles } from '../../core/runs/runDirectory.js';
import { AiforgeError } from '../../errors.js';
import { runAt } from './arguments.js';
import { sizeText } from '../table.js';

/** `aiforge checkpoints prune`: removes the older of the checkpoints that a run keeps; gives the exit status. */
export function prune(run: string, { keep, dryRun = false }: { keep: string; dryRun?: boolean }): number {
  if (!/^\d+$/.test(keep)) {
    throw new AiforgeError('INVALID_ARGUMENT', `--keep is '${keep}'; expected a whole number, 0 or more.`);
  }
  const files = runAt(run);
  if (dryRun) {
    RunLock.requireFree(files.directory);
    tell(files, olderThan(files, Number(keep)), 'Would remove');
    return 0;
  }
  const lock = RunLock.acquire(files.directory);
  try {
    const older = olderThan(files, Number(keep));
    tell(files, older, 'Removing');
    remove(files, older);
  } finally {
    lock.release();
  }
  return 0;
}

function olderThan(files: RunFiles, keep: number): string[] {
  const kept = checkpointFiles(files).filter(({ kind }) => kind === 'kept').map(({ name }) => name); // prettier-ignore
  return kept.slice(0, Math.max(0, kept.length - keep));
}

function tell({ directory }: RunFiles, names: readonly string[], doing: string): void {
  const lines = names.map((name) => `${doing} ${name} (${sizeText(statSync(path.join(directory, name)).size)})\n`);
  process.stdout.write(lines.length === 0 ? 'There is nothing to remove.\n' : lines.join(''));
}

function remove(files: RunFiles, names: readonly string[]): void {
  const manifest = new Manifest(files);
  reconcile(manifest, files);
  for (const name of names) {
    rmSync(path.join(files.directory, name), { force: true });
    manifest.forget(path.join(files.directory, name));
  }
  dropEarlierBests(files, manifest, null);
}
