import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve, sep } from 'node:path';

import { AiforgeError } from '../errors.js';
import { optional, string } from '../kinds.js';
import { signature } from '../signature.js';

const takes = signature({ dataPath: string, inside: optional(string) });

/**
 * The absolute path that a `dataPath` stands for: a path itself, or for `npm:<package>` a file or folder `inside` that package as it
 * is installed for the current folder.
 *
 * @param inside Relative to the package. Default: the package's own folder.
 * @throws AiforgeError FILE_NOT_FOUND for a package that is not installed, or has no such file; INVALID_ARGUMENT for an `inside` that
 * leads out of it.
 * @example
 * import { resolveData } from 'aiforge';
 * resolveData('npm:vega-datasets', 'data/cars.json').endsWith('vega-datasets/data/cars.json'); // true
 */
export function resolveData(dataPath: string, inside = ''): string {
  takes.check('resolveData', arguments);
  if (!dataPath.startsWith('npm:')) return resolve(dataPath);
  const name = dataPath.slice('npm:'.length);
  if (!/^(@[\w.-]+\/)?\w[\w.-]*$/.test(name)) throw refusal(`'${dataPath}' names no package, as npm:<package> does`);
  // A package need not export its package.json, so its folder is looked for where Node looks.
  const places = createRequire(join(process.cwd(), 'index.js')).resolve.paths(name) ?? [];
  const folder = places.map((place) => join(place, name)).find((each) => existsSync(each));
  if (folder === undefined) throw missing(dataPath, `the package is not installed in ${process.cwd()}`, name);
  const found = resolve(folder, inside);
  if (found !== folder && !found.startsWith(folder + sep))
    throw refusal(`'${inside}' leads out of the package ${name}`);
  if (!existsSync(found)) throw missing(dataPath, `the package has no ${inside}`, name);
  return found;
}

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `resolveData: ${problem}.`);

const missing = (dataPath: string, reason: string, name: string): AiforgeError =>
  new AiforgeError(
    'FILE_NOT_FOUND',
    `The data at dataPath '${dataPath}' was not found: ${reason}. Install it with: npm install ${name}`,
  );
