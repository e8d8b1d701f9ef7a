import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, wherever the package is installed. */
export const projectRoot = resolve(fileURLToPath(import.meta.url), '..', '..', '..');

/** Where the addon is built, and the record of what it was built for. */
export const addonFolder = join(projectRoot, 'build', 'cmake');
export const addonFile = join(addonFolder, 'Release', 'aiforge.node');
export const addonRecord = join(addonFolder, 'libtorch.json');

/** The folder in the user's cache that the project's installs share. */
export function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'aiforge');
}

/** Every file below a folder (or the file itself) whose name matches, sorted; nothing when it does not exist. */
export function listFiles(path, matches = /./) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOTDIR') return matches.test(path) ? [path] : [];
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .flatMap((entry) => {
      const child = join(path, entry.name);
      if (entry.isDirectory()) return listFiles(child, matches);
      return matches.test(entry.name) ? [child] : [];
    })
    .sort();
}

/** A hash of the files' names and contents and of any further values. */
export function fingerprint(files, ...values) {
  const hash = createHash('sha256').update(JSON.stringify(values));
  for (const file of files) hash.update(`\0${relative(projectRoot, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** The parsed JSON file, or null when it is missing or cut off. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Writes JSON beside the file and renames it into place, so that it is never seen half-written. */
export function writeJson(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, file);
}
