import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AiforgeError } from '../../errors.js';

/** In bytes: what the ranks of a launch record, with room for long stacks. */
const needed = 256 * 1024;

function makeFolderIn(parent: string): string {
  const folder = mkdtempSync(join(parent, 'aiforge-launch-'));
  try {
    // On a disk that is full, a folder can still be made.
    const trial = join(folder, 'trial');
    writeFileSync(trial, Buffer.alloc(needed));
    rmSync(trial);
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * A folder for what the ranks of one launch record: in TMPDIR, else where else a system keeps such, which is said. Throws LAUNCH_FAILED
 * where none can be made and written.
 */
export function makeLaunchFolder(say: (message: string) => void): string {
  const first = tmpdir();
  let reason: unknown;
  for (const parent of new Set([first, '/dev/shm', '/tmp'])) {
    try {
      const folder = makeFolderIn(parent);
      if (parent !== first)
        say(`no folder can be made in ${first} (${(reason as Error).message}): what ranks record goes to ${parent}`);
      return folder;
    } catch (error) {
      reason ??= error;
    }
  }
  throw new AiforgeError(
    'LAUNCH_FAILED',
    `No folder can be made in ${first} for what the ranks record: ${(reason as Error).message}. Set TMPDIR to one that can be written.`,
    { cause: reason },
  );
}
