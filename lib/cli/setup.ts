import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { packageRoot } from '../stack.js';

type RunToExit = (command: string, args: string[]) => Promise<number>;

/** Brings LibTorch and the addon where they are missing, as installing the package does; resolves to the exit status. */
export async function setup(): Promise<number> {
  const scripts = join(packageRoot, 'scripts');
  const command = pathToFileURL(join(scripts, 'provision', 'command.mjs')).href;
  const { runToExit } = (await import(command)) as { runToExit: RunToExit };
  return runToExit(process.execPath, [join(scripts, 'install.mjs')]);
}
