import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { childLogger } from '../log.js';
import { readRecords } from './jsonlRecords.js';
import { openRunOf } from './mlflowLedger.js';
import { MlflowTracker } from './mlflowTracker.js';
import type { RunStatus, TrackedRun, Tracker } from './tracker.js';

const log = childLogger({ part: 'tracking' });

/** Does some work on a run's folder unless another process works there. */
export type Exclusively = (directory: string, work: () => Promise<void>) => Promise<void>;

/**
 * While a run goes on, closes what earlier runs beside it left open on the MLflow server, as after a kill or where the server
 * was away: sends what their `metrics.jsonl` has and the server has not, and how they ended.
 */
export class MlflowRecovery implements Tracker {
  #work: Promise<void> | undefined;

  constructor(
    private readonly uri: string,
    private readonly exclusively: Exclusively,
  ) {}

  start(run: TrackedRun): Promise<void> {
    this.#work = this.#recoverAll(run.directory);
    return Promise.resolve();
  }

  logParams(): void {
    // This run's own are another tracker's.
  }

  logChanges(): void {
    // As above.
  }

  logMetrics(): void {
    // As above.
  }

  async finish(_status: RunStatus): Promise<void> {
    await this.#work;
  }

  async #recoverAll(own: string): Promise<void> {
    for (const directory of runsBeside(own)) {
      if (openRunOf(directory) === undefined) continue;
      try {
        await this.exclusively(directory, () => recover(directory, this.uri));
      } catch (error) {
        log.warn({ err: error }, `The MLflow run of ${directory} could not be closed; the next run tries again.`);
      }
    }
  }
}

/** The folders of all runs under the folder of runs, but the own. */
function runsBeside(own: string): string[] {
  const root = dirname(dirname(own));
  const foldersIn = (folder: string) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  return foldersIn(root)
    .flatMap(foldersIn)
    .filter((directory) => directory !== own && existsSync(join(directory, 'mlflow.json')));
}

async function recover(directory: string, uri: string): Promise<void> {
  const open = openRunOf(directory);
  // What another server misses waits until a run records there again.
  if (open === undefined || !MlflowTracker.isSameServer(uri, open.uri)) return;
  const { runId, experimentName, runName } = open;
  const options = { uri, experimentName, runName, past: directory };
  const tracker =
    runId === null
      ? await MlflowTracker.create(options)
      : MlflowTracker.attach({ uri, runId, closesRun: true, past: directory });
  if (tracker.runId === null) return;
  const end = readRecords(directory).findLast(({ kind }) => kind === 'finish');
  await tracker.start({
    experimentName,
    runName,
    directory,
    goesOnFrom: { step: 0, epoch: 1, validatedBatch: 0, sameNumbers: true },
  });
  await tracker.finish(end?.status ?? 'KILLED');
}
