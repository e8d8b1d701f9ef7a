import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { readSettings } from '../../config/settings.js';
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

/** The folder of a run that is given by its path, or as `experiment/time` in RUNS_DIR. Throws FILE_NOT_FOUND. */
export function runCalled(given: string): string {
  const runs = readSettings().RUNS_DIR;
  const places = [given, path.join(runs, given)].map((place) =>
    existsSync(place) && !isFolder(place) ? path.dirname(place) : place,
  );
  const run = places.find((place) => isFolder(place) && isRun(place));
  if (run !== undefined) return run;
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
