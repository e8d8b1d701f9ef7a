import { lstatSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

import pc from 'picocolors';

import { writeFileAtomic } from '../atomicFile.js';
import { packageRoot } from '../modules/loadModule.js';
import { projectRoot } from '../core/plugins/pluginPlaces.js';
import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { quoted } from './report.js';

/** What a plugin may be begun from: a folder of templates/plugin each. */
const kinds = ['classification', 'regression', 'text'];

const longestName = 80;

interface NewFile {
  /** Where it comes to lie in the project. */
  name: string;
  content: string;
}

/**
 * `aiforge new plugin`: writes a plugin that works, an experiment and a test of it into a project, and prints what to run next.
 * Throws INVALID_ARGUMENT for a name or a kind that is none, FILE_NOT_WRITABLE where files are in the way, before any is written.
 */
export function newPlugin(name: string, kind: string, directory: string | undefined): void {
  checkName(name);
  checkKind(kind);
  if (directory === '') {
    throw new AiforgeError('INVALID_ARGUMENT', '--directory is empty; expected the folder of a project.');
  }
  const project = path.resolve(directory ?? projectRoot(process.cwd()));
  const files = filesOf(name, kind);
  refuseConflicts(project, name, files);
  writeAll(project, files);
  process.stdout.write(`${report(project, name, files)}\n`);
}

function checkName(name: string): void {
  if (ownPlugins().includes(name)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `'${name}' is the name of one of aiforge's own plugins, which a plugin of yours would take the place of; choose another name.`,
    );
  }
  const isName = /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && name.length <= longestName;
  if (isName && name !== 'node_modules') return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(name)} cannot be a plugin's name; expected the name of a folder: a letter first, then letters, digits, _ and -, ` +
      `at most ${longestName} of them, such as my_plugin. Give the place with --directory.`,
  );
}

const ownPlugins = (): string[] => {
  const folder = path.join(packageRoot(), 'plugins');
  return readdirSync(folder).filter((name) => isFolder(path.join(folder, name)));
};

function checkKind(kind: string): void {
  if (kinds.includes(kind)) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `--kind: there is no kind of plugin '${kind}'.${didYouMean(kind, kinds)} Expected ${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}.`,
  );
}

function filesOf(name: string, kind: string): NewFile[] {
  const folder = path.join(packageRoot(), 'templates', 'plugin', kind);
  const files = readdirSync(folder).map((file) => ({
    name: placeOf(file, name),
    content: readFileSync(path.join(folder, file), 'utf8').replaceAll('__name__', name),
  }));
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function placeOf(file: string, name: string): string {
  if (file === 'experiment.yaml') return path.join('experiments', `${name}.yaml`);
  if (file === 'plugin.test.mjs') return path.join('test', `${name}.test.mjs`);
  return path.join('plugins', name, file);
}

/** Nothing is written where anything is in the way: a file of its name, a folder that has files, a file where a folder is needed. */
function refuseConflicts(project: string, name: string, files: readonly NewFile[]): void {
  const folder = path.join('plugins', name);
  const inFolder = isFolder(path.join(project, folder)) ? readdirSync(path.join(project, folder)) : [];
  const conflicts = new Set([
    ...['.', 'plugins', folder, 'experiments', 'test'].filter((place) => isNoFolder(path.join(project, place))),
    ...inFolder.map((file) => path.join(folder, file)),
    ...files.map((file) => file.name).filter((file) => isThere(path.join(project, file))),
  ]);
  if (conflicts.size === 0) return;
  throw new AiforgeError(
    'FILE_NOT_WRITABLE',
    `Nothing was written, since in ${project} there ${conflicts.size === 1 ? 'is' : 'are'} already:\n` +
      `${[...conflicts].map((file) => `  ${file}`).join('\n')}\nChoose another name, move these away, or give another --directory.`,
  );
}

// A link that leads nowhere is in the way too.
const isThere = (place: string): boolean => {
  try {
    return lstatSync(place, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Below a file nothing can be: the file itself is told of.
    return false;
  }
};

const isFolder = (place: string): boolean =>
  isThere(place) && (statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false);

const isNoFolder = (place: string): boolean => isThere(place) && !isFolder(place);

/** All of the files or none: what was written before one that cannot be is taken away again. */
function writeAll(project: string, files: readonly NewFile[]): void {
  const written: string[] = [];
  try {
    for (const { name, content } of files) {
      writeFileAtomic(path.join(project, name), content);
      written.push(name);
    }
  } catch (error) {
    for (const name of written) rmSync(path.join(project, name), { force: true });
    throw error;
  }
}

function report(project: string, name: string, files: readonly NewFile[]): string {
  const place = path.relative(process.cwd(), project) || '.';
  const experiment = path.join('experiments', `${name}.yaml`);
  const commands = [
    ...(place === '.' ? [] : [`cd ${quoted(place)}`]),
    `npx aiforge plugins check ${name} --experiment ${experiment}`,
    `npx aiforge train ${experiment}`,
    `node --test ${path.join('test', `${name}.test.mjs`)}`,
  ];
  return [
    `The plugin ${pc.bold(name)}, in ${project}:`,
    ...files.map((file) => `  ${file.name}`),
    '',
    'Next:',
    ...commands.map((command) => `  ${command}`),
  ].join('\n');
}
