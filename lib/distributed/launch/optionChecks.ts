import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import type { NameOf } from './optionNames.js';
import type { LaunchOptions } from './options.js';

function refuse(name: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${name} ${problem}.`);
}

const mustSaySomething = ['target', 'cwd', 'logDir', 'masterAddr', 'localAddr'] as const;

/** Throws INVALID_ARGUMENT for texts that say nothing, and for those that no program can be given: those with a NUL in them. */
export function checkTexts(options: LaunchOptions, nameOf: NameOf): void {
  for (const name of mustSaySomething) {
    if (options[name] === '') refuse(nameOf(name), "is '', which says nothing: leave it out or fill it in");
  }
  for (const name of Object.keys(options) as (keyof LaunchOptions)[]) {
    for (const text of [options[name]].flat()) {
      if (typeof text === 'string' && text.includes('\0')) refuse(nameOf(name), `has a NUL in ${show(text)}`);
    }
  }
  for (const [name, value] of Object.entries((options.env ?? {}) as Record<string, unknown>)) {
    if (value === undefined) continue;
    if (typeof value !== 'string')
      refuse(nameOf('env'), `has ${show(value)} as ${name}; a variable's value is a string`);
    if (`${name}${value}`.includes('\0')) refuse(nameOf('env'), `has a NUL in ${show(`${name}=${value}`)}`);
  }
}

/** What lies at a path: undefined where nothing does, or where it cannot be looked at. */
function kindOf(path: string): 'folder' | 'other' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    // A part of the path before its last is no folder.
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? 'other' : undefined;
  }
}

/** Throws INVALID_ARGUMENT for a `cwd` that is no folder, and LAUNCH_FAILED where no log folder can be made. */
export function checkFolders({ logDir, cwd }: LaunchOptions, nameOf: NameOf): void {
  if (cwd !== undefined && kindOf(cwd) !== 'folder') refuse(nameOf('cwd'), `is ${show(cwd)}, which is no folder`);
  if (logDir !== undefined && kindOf(resolve(logDir)) === 'other') {
    const problem = `is ${show(logDir)}, where there is a file and no folder: give another, or take the file away.`;
    throw new AiforgeError('LAUNCH_FAILED', `${nameOf('logDir')} ${problem}`);
  }
}
