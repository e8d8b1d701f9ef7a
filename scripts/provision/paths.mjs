import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { projectRoot } from '../locate/paths.cjs';

export {
  addonFile,
  addonFolder,
  addonRecord,
  cacheFolder,
  isCheckout,
  projectRoot,
  readJson,
} from '../locate/paths.cjs';

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

/** Writes JSON beside the file and renames it into place, so that it is never seen half-written. */
export function writeJson(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, file);
}
