import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

import { readSettings } from '../../config/settings.js';
import { runDirectoryOf } from '../../core/runs/runDirectory.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isRun = (folder: string): boolean =>
  ['metrics.jsonl', 'config.yaml', 'lock.1'].some((name) => existsSync(path.join(folder, name)));

const foldersIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => path.join(folder, entry.name))
    .sort();

/** The folder of runs that a command looks at. Default: RUNS_DIR. Throws FILE_NOT_FOUND where there is none. */
export function folderOfRuns(given: string | undefined): string {
  const folder = given ?? readSettings().RUNS_DIR;
  if (isFolder(folder)) return folder;
  const remedy = given === undefined ? 'Give the folder of the runs, or set RUNS_DIR to it' : `Check the path${hint(folder)}`; // prettier-ignore
  throw new AiforgeError('FILE_NOT_FOUND', `There is no folder '${folder}'. ${remedy}.`);
}

function hint(folder: string): string {
  const parent = path.dirname(path.resolve(folder));
  const near = isFolder(parent) ? didYouMean(path.basename(folder), readdirSync(parent)) : '';
  return near === '' ? '; it is relative to the working directory' : `;${near.replace('?', '')}`;
}

/** The runs in a folder: itself, an experiment's, or those of all experiments in it. */
export function runsIn(folder: string): string[] {
  if (isRun(folder)) return [folder];
  return foldersIn(folder).flatMap((each) => (isRun(each) ? [each] : foldersIn(each).filter(isRun)));
}

/** Where a run may be that is given by its path, or as `experiment/time` in RUNS_DIR. */
const placesOf = (given: string): string[] => [given, path.join(readSettings().RUNS_DIR, given)];

const isRunFolder = (place: string): boolean => isFolder(place) && isRun(place);

/**
 * The run that a command measures or predicts with, and its weights: they are given with the run's folder, or the run by the file
 * of its weights. Throws FILE_NOT_FOUND, or INVALID_ARGUMENT for a file that is no weights and for two that differ.
 */
export function runWithWeights(given: string, weights: string | undefined): { run: string; weights?: string } {
  const places = placesOf(given);
  const file = places.some(isRunFolder) ? undefined : places.find((place) => existsSync(place) && !isFolder(place));
  if (file === undefined) return { run: runCalled(given), weights };
  const run = runDirectoryOf(path.resolve(file));
  if (!isRun(run) || path.extname(file) !== '.safetensors') {
    throw fileRefused(given, file, ', or a file of its weights, such as best.safetensors in it');
  }
  const other = weights === undefined ? undefined : [path.resolve(run, weights), path.resolve(weights)].find((each) => existsSync(each)); // prettier-ignore
  if (weights !== undefined && (other === undefined || realpathSync(other) !== realpathSync(file))) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `'${given}' and --weights ${weights} are not the same weights. Give one of them: the file alone, or ${path.relative('', run) || '.'} and --weights.`,
    );
  }
  return { run, weights: path.resolve(file) };
}

function fileRefused(given: string, file: string, further = ''): AiforgeError {
  const run = runDirectoryOf(path.resolve(file));
  const folder = isRun(run) ? `the folder of its run, ${path.relative('', run) || '.'}` : 'the folder of a run';
  return new AiforgeError('INVALID_ARGUMENT', `'${given}' is a file, which is no run. Give ${folder}${further}.`);
}

/** The folder of a run that is given by its path, or as `experiment/time` in RUNS_DIR. Throws FILE_NOT_FOUND, INVALID_ARGUMENT. */
export function runCalled(given: string): string {
  const runs = readSettings().RUNS_DIR;
  const places = placesOf(given);
  const run = places.find(isRunFolder);
  if (run !== undefined) return run;
  const file = places.find((place) => existsSync(place) && !isFolder(place));
  if (file !== undefined) throw fileRefused(given, file);
  const holder = places.find(isFolder);
  if (holder !== undefined) {
    const inside = runsIn(holder);
    const problem = inside.length === 0 ? 'has no metrics.jsonl and no config.yaml' : `has ${inside.length} of them; give one, such as ${inside.at(-1)!}`; // prettier-ignore
    throw new AiforgeError('FILE_NOT_FOUND', `'${given}' is not the folder of a run: it ${problem}.`);
  }
  const known = isFolder(runs) ? runsIn(runs).map((folder) => path.relative(runs, folder)) : [];
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `There is no run '${given}', neither here nor in ${runs}.${didYouMean(given, known)} 'aiforge runs ls' lists those that there are.`,
  );
}
