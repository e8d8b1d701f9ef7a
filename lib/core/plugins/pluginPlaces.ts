import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { packageRoot, resolveModule } from '../../modules/loadModule.js';

const prefix = 'aiforge-plugin-';

/** `plugins` of the project around the configuration file, then aiforge's own. */
export function pluginFolders(from: string): string[] {
  return [...new Set([join(projectRoot(from), 'plugins'), join(packageRoot(), 'plugins')])];
}

/** The nearest folder above that has a package.json, or the folder itself. */
export function projectRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (folderEntries(folder).includes('package.json')) return folder;
    if (dirname(folder) === folder) return from;
  }
}

/** The package that a plugin's name stands for: `@scope/name` is `@scope/aiforge-plugin-name`. */
export function packageName(name: string): string {
  const slash = name.lastIndexOf('/') + 1;
  const plain = name.slice(slash);
  return name.slice(0, slash) + (plain.startsWith(prefix) ? plain : prefix + plain);
}

/** The folder that holds a package's files: that of its entry point, or the package's own when it has none. */
export function findPackage(name: string, from: string): string | undefined {
  const entry = resolveModule(name, from);
  if (entry !== undefined) return dirname(entry);
  const folder = packageFolder(name, from);
  return folder && realpathSync(folder);
}

/** What the package.json of an installed package says of its version. */
export function packageVersion(name: string, from: string): string | undefined {
  const folder = packageFolder(name, from);
  if (folder === undefined) return undefined;
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

function packageFolder(name: string, from: string): string | undefined {
  return modulesFolders(from)
    .map((base) => join(base, name))
    .find(isDirectory);
}

/** The names of plugins that are installed as packages, scoped ones too, as an experiment gives them. */
export function packagedNames(from: string): string[] {
  const names = modulesFolders(from).flatMap((base) => {
    const scoped = folderNames(base)
      .filter((name) => name.startsWith('@'))
      .flatMap((scope) => folderNames(join(base, scope)).map((name) => `${scope}/${name}`));
    return [...folderNames(base), ...scoped];
  });
  const isPlugin = new RegExp(`^(@[^/]+/)?${prefix}.`);
  return [...new Set(names.filter((name) => isPlugin.test(name)))].map((name) => name.replace(prefix, ''));
}

function modulesFolders(from: string): string[] {
  return createRequire(join(from, '_')).resolve.paths('aiforge') ?? [];
}

export function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function folderEntries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function folderNames(folder: string): string[] {
  return folderEntries(folder).filter((name) => isDirectory(join(folder, name)));
}
