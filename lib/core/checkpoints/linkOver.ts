import { copyFileSync, linkSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { AiforgeError } from '../../errors.js';

/** A second name for a file, in the place of whatever has it; a copy where the disk has no links. */
export function linkOver(from: string, to: string): void {
  const beside = path.join(path.dirname(to), `.${path.basename(to)}.${process.pid}.tmp`);
  rmSync(beside, { force: true });
  try {
    try {
      linkSync(from, beside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing(from, error);
      copyFileSync(from, beside);
    }
    renameSync(beside, to);
  } finally {
    // Two names of one file are left as they are by a rename.
    rmSync(beside, { force: true });
  }
}

function missing(file: string, cause: unknown): AiforgeError {
  return new AiforgeError('TRAINING_FAILED', `${file} is gone: somebody removed it while the run went on. Begin a new run.`, { cause }); // prettier-ignore
}
