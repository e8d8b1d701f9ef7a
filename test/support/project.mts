import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const cli = path.resolve('dist/lib/cli');

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A temporary folder that is gone after the test file. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `aiforge-${name}-`));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files below a folder, by their paths in it; gives the folder. */
export function writeFiles(folder: string, files: Record<string, string>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

/** Starts one of the commands, with its runs in `folder`. */
export function start(
  command: 'aiforge' | 'aiforge-launch',
  args: string[],
  folder: string,
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  return spawn(process.execPath, [path.join(cli, `${command}.js`), ...args], {
    env: {
      ...process.env,
      OMP_NUM_THREADS: '1',
      RUNS_DIR: path.join(folder, 'runs'),
      LOG_LEVEL: 'silent',
      NO_COLOR: '1',
      ...env,
    },
  });
}

export function finished(child: ChildProcess): Promise<Finished> {
  const output = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...output }));
  });
}

export function run(
  command: 'aiforge' | 'aiforge-launch',
  args: string[],
  folder: string,
  env?: NodeJS.ProcessEnv,
): Promise<Finished> {
  return finished(start(command, args, folder, env));
}

/** Resolves when what a process prints contains `text`. */
export function printed(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes(text)) resolve();
    });
    child.once('close', (status) => reject(new Error(`ended with ${status} before it printed '${text}': ${seen}`)));
  });
}
