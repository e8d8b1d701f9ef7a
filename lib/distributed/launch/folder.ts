import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AiforgeError } from '../../errors.js';

/**
 * A folder for what the ranks of one launch record: in TMPDIR, else where else a system keeps such, which is said. Throws LAUNCH_FAILED
 * where none can be made.
 */
export function makeLaunchFolder(say: (message: string) => void): string {
  const first = tmpdir();
  let reason: unknown;
  for (const parent of new Set([first, '/dev/shm', '/tmp'])) {
    try {
      const folder = mkdtempSync(join(parent, 'aiforge-launch-'));
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
