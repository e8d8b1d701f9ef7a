import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import pc from 'picocolors';

import { readSettings } from '../config/settings.js';
import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { isError } from '../realms.js';
import { showThrown } from '../show.js';
import { planSweep } from '../sweeps/plan.js';
import { lastOf, ranked } from '../sweeps/ranking.js';
import { runSweep, type SweepResult } from '../sweeps/sweep.js';
import { readSweep } from '../sweeps/sweepConfig.js';
import { loadState, sweepFiles, type SweepState } from '../sweeps/sweepState.js';
import { quoted } from './report.js';
import { listenToSignals, statusAfter } from './stopSignals.js';
import { SweepProgress } from './sweepProgress.js';
import { sweepTable } from './sweepTable.js';

export interface SweepCommand {
  folder?: string;
  parallel?: number;
  stopOnFailure?: boolean;
}

const write = (text: string): void => void process.stdout.write(`${text}\n`);
const shown = (place: string): string => path.relative(process.cwd(), place) || '.';

/** `aiforge sweep FILE`: runs what of the sweep was not run yet, and shows its results; resolves to the exit status. */
export async function sweep(file: string, flags: SweepCommand): Promise<number> {
  const plan = planSweep(readSweep(file), { parallel: flags.parallel });
  const folder = path.resolve(flags.folder ?? path.join(sweepsFolder(), path.parse(file).name));
  const signal = listenToSignals(() =>
    process.stderr.write('A sweep has no checkpoint: send this signal to its trials.\n'),
  );
  const progress = new SweepProgress(folder, plan.rungs);
  const result = await runSweep(plan, {
    folder,
    signal,
    stopOnFailure: flags.stopOnFailure ?? false,
    listener: progress,
  }).finally(() => progress.stop());
  if (signal.aborted && isError(signal.reason)) throw signal.reason;
  (signal.reason === 'SIGPIPE' ? process.stderr : process.stdout).write(`${ending(result, folder, file)}\n`);
  if (signal.aborted && !result.isComplete) return statusAfter(signal.reason as string);
  const isFailure = result.stoppedBy !== undefined || result.state.trials.every(({ status }) => status === 'failed');
  return isFailure ? 1 : 0;
}

function ending({ state, isComplete, stoppedBy }: SweepResult, folder: string, file: string): string {
  const again = `npx aiforge sweep ${quoted(file)}`;
  const how =
    stoppedBy !== undefined
      ? `Stopped, since trial ${stoppedBy.number} failed: ${stoppedBy.reason}`
      : isComplete
        ? ''
        : `Interrupted. Go on with: ${again}`;
  return [description(state, folder), how].filter((text) => text !== '').join('\n\n');
}

function description(state: SweepState, folder: string): string {
  const files = sweepFiles(folder);
  const [first] = ranked(state);
  const run =
    first !== undefined && lastOf(first) !== undefined && first.run !== null ? path.join(folder, first.run) : undefined;
  return [
    '',
    sweepTable(state),
    '',
    ...(run === undefined ? [] : [`  best run   ${shown(run)}`]),
    ...[
      ['results', files.csv],
      ['', files.jsonl],
      ['picture', files.picture],
    ].flatMap(([what, name]) => (existsSync(name!) ? [`  ${what!.padEnd(10)} ${shown(name!)}`] : [])),
  ].join('\n');
}

const sweepsFolder = (): string => path.join(readSettings().RUNS_DIR, 'sweeps');

/** `aiforge sweep ls`: the sweeps in a folder, by default those of `RUNS_DIR`. */
export function listSweeps(given: string | undefined): number {
  const folder = given ?? sweepsFolder();
  if (given !== undefined && !existsSync(given)) {
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `There is no folder '${given}'. Give the one that holds the folders of sweeps.`,
    );
  }
  const sweeps = foldersIn(folder).filter((name) => existsSync(sweepFiles(path.join(folder, name)).state));
  if (sweeps.length === 0) write(`No sweeps in ${shown(path.resolve(folder))}. Begin one with: npx aiforge sweep FILE`);
  for (const name of sweeps) write(line(name, path.join(folder, name)));
  return 0;
}

function line(name: string, folder: string): string {
  try {
    const state = loadState(folder)!;
    const done = state.trials.filter(({ status }) => status !== 'waiting').length;
    const failed = state.trials.filter(({ status }) => status === 'failed').length;
    const first = ranked(state)[0];
    const value = first === undefined ? undefined : lastOf(first)?.value;
    const counts = `${done} of ${state.trials.length} trials${failed === 0 ? '' : `, ${failed} failed`}`;
    return `${pc.bold(name)}  ${state.method}, ${counts}${value === undefined ? '' : `, best ${state.metric} ${value.toPrecision(5)}`}`;
  } catch (error) {
    // One that is broken does not hide the others.
    return `${pc.bold(name)}  ${pc.red('broken:')} ${showThrown(error)}`;
  }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** `aiforge sweep show`: the results of a sweep, from its folder or by the name of one of `RUNS_DIR`. */
export function showSweep(given: string): number {
  const named = path.join(sweepsFolder(), given);
  const folder = loadStateAt(given) ? given : !given.includes('/') && loadStateAt(named) ? named : undefined;
  if (folder === undefined) {
    const hint = didYouMean(path.basename(given), foldersIn(sweepsFolder()));
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `'${given}' is no folder of a sweep: it has no sweep.json.${hint} See npx aiforge sweep ls.`,
    );
  }
  write(description(loadState(folder)!, path.resolve(folder)));
  return 0;
}

const loadStateAt = (folder: string): boolean => existsSync(sweepFiles(folder).state);
