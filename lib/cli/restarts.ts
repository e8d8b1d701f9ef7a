import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { runFiles } from '../core/runs/runDirectory.js';
import { logger } from '../log.js';

// Named by aiforge-launch, one for all starts of a group.
const noteFile = process.env.AIFORGE_RUN_FILE;

/** Leaves word of the run for the ranks that a launcher starts again after a failure. */
export function noteRun(directory: string): void {
  if (noteFile === undefined) return;
  try {
    writeFileSync(noteFile, directory);
  } catch (error) {
    logger.warn({ err: error }, `${noteFile} cannot be written: ranks that are started again would begin a new run.`);
  }
}

/** The run that a launcher's ranks of before had, if it can go on; undefined at a first start. */
export function runToGoOnWith(): string | undefined {
  if (noteFile === undefined) return undefined;
  if (!existsSync(noteFile)) {
    const isAgain = Number(process.env.TORCHELASTIC_RESTART_COUNT ?? 0) > 0;
    if (isAgain && process.env.RANK === '0')
      process.stderr.write('Started again: no run was under way to go on with\n');
    return undefined;
  }
  const directory = readFileSync(noteFile, 'utf8');
  return existsSync(runFiles(directory).last) ? directory : undefined;
}
