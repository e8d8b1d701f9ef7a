import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../atomicFile.js';

/** What a run's folder says of its MLflow run until all of it is there and it is closed. */
export interface OpenMlflowRun {
  uri: string;
  /** Null where the server could not be reached to open one. */
  runId: string | null;
  experimentName: string;
  runName: string;
}

const fileIn = (directory: string): string => join(directory, 'mlflow.json');

/** Notes that an MLflow run is open, or is still to be opened. */
export function noteOpenRun(directory: string, run: OpenMlflowRun): void {
  writeFileAtomic(fileIn(directory), `${JSON.stringify(run)}\n`);
}

/** The MLflow run that a folder's run left open, if it did. */
export function openRunOf(directory: string): OpenMlflowRun | undefined {
  if (!existsSync(fileIn(directory))) return undefined;
  try {
    return JSON.parse(readFileSync(fileIn(directory), 'utf8')) as OpenMlflowRun;
  } catch {
    return undefined;
  }
}

/** The MLflow run has everything. */
export function forgetOpenRun(directory: string): void {
  rmSync(fileIn(directory), { force: true });
}
