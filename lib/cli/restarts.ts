import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { runFiles } from '../core/runs/runDirectory.js';

// Named by aiforge-launch, one for all starts of a group.
const noteFile = process.env.AIFORGE_RUN_FILE;

/** Leaves word of the run for the ranks that a launcher starts again after a failure. */
export function noteRun(directory: string): void {
  if (noteFile !== undefined) writeFileSync(noteFile, directory);
}

/** The run that a launcher's ranks of before had, if it can go on; undefined at a first start. */
export function runToGoOnWith(): string | undefined {
  if (noteFile === undefined || !existsSync(noteFile)) return undefined;
  const directory = readFileSync(noteFile, 'utf8');
  return existsSync(runFiles(directory).last) ? directory : undefined;
}
