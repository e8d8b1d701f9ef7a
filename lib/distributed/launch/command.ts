import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { AiforgeError } from '../../errors.js';
import { withOwnInspector } from './inspector.js';
import type { Settings } from './settings.js';

/** The program that every rank runs. */
export interface RankCommand {
  file: string;
  /** Options for Node.js itself, where it runs the rank. */
  nodeArgs?: readonly string[];
  args: string[];
}

const typescript = new Set(['.ts', '.mts', '.cts']);

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(path: string): boolean {
  if (!isFile(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findExecutable(settings: Settings): string {
  const { target, cwd } = settings;
  const folders = (settings.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = target.includes('/') ? [resolve(cwd, target)] : folders.map((folder) => join(folder, target));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `'${target}' is no executable file${target.includes('/') ? '' : ' on PATH'}: check its name and its permissions.`,
  );
}

function typescriptLoader(): string[] {
  const register = join(dirname(require.resolve('jiti/package.json')), 'lib', 'jiti-register.mjs');
  return ['--import', pathToFileURL(register).href];
}

/** Those of `aiforge` that ranks can do together. */
const subcommands: ReadonlySet<string> = new Set(['train', 'fit', 'validate', 'test']);

/** Those that one process does, and how. */
const alone: ReadonlyMap<string, string> = new Map([
  ['predict', 'Predictions run in one process'],
  ['sweep', 'A sweep starts a process for each of its trials itself'],
  ['data', 'Shards of data are written and listed by one process'],
  ['tune', 'A learning rate or a batch size is looked for in one process'],
  ...['config', 'checkpoints', 'runs', 'new', 'plugins', 'setup', 'doctor'].map((name): [string, string] => [
    name,
    `'${name}' is nothing that several ranks do together`,
  ]),
]);

// Records the error of a rank, and lets no signal end it that it does not listen to yet.
const preload = ['--require', join(__dirname, 'recordError.js')];

function programCommand(settings: Settings): RankCommand {
  const file = findExecutable(settings);
  // Node.js is started as for a script: what is given to it may open its inspector.
  return basename(file) === 'node'
    ? { file, nodeArgs: preload, args: [...settings.args] }
    : { file, args: [...settings.args] };
}

/** The words that start one rank: those that come before the command, and the command with an inspector of its own. */
export function wordsOf(
  { file, nodeArgs = [], args }: RankCommand,
  before: readonly string[],
  localRank: number,
): [string, ...string[]] {
  const own = [...withOwnInspector(nodeArgs, localRank), ...args];
  const [first, ...rest] = before;
  return first === undefined ? [file, ...own] : [first, ...rest, file, ...own];
}

/** Finds what to run: a program, a script for Node.js, or a subcommand of aiforge. Throws FILE_NOT_FOUND if there is none, and INVALID_ARGUMENT for a subcommand that one process does. */
export function resolveCommand(settings: Settings): RankCommand {
  if (settings.executable) return programCommand(settings);
  const nodeArgs = [...settings.nodeArgs, ...preload];
  const script = resolve(settings.cwd, settings.target);
  if (isFile(script)) {
    const loader = typescript.has(extname(script)) ? typescriptLoader() : [];
    return { file: process.execPath, nodeArgs, args: [...loader, script, ...settings.args] };
  }
  if (subcommands.has(settings.target)) {
    const cli = join(__dirname, '..', '..', 'cli', 'aiforge.js');
    return { file: process.execPath, nodeArgs, args: [cli, settings.target, ...settings.args] };
  }
  const reason = alone.get(settings.target);
  if (reason !== undefined) {
    throw new AiforgeError('INVALID_ARGUMENT', `${reason}: start it as npx aiforge ${settings.target}, without aiforge-launch.`); // prettier-ignore
  }
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `There is no script '${script}': give a script for Node.js, 'train' and an experiment, 'test' or 'validate' and a run, ` +
      'or --no-node and a program.',
  );
}
