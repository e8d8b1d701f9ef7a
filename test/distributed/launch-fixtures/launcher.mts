// Starts aiforge-launch as a user does, in a folder of its own, and ends what a test leaves.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { printedPids, until } from './processes.mjs';

const cli = join(process.cwd(), 'dist', 'lib', 'cli', 'aiforge-launch.js');

export const fixture = (name: string): string => join(process.cwd(), 'test', 'distributed', 'launch-fixtures', name);

export interface Launcher {
  child: ChildProcess;
  output: () => string;
  /** Its exit status, or the signal that killed it. */
  end: Promise<number | NodeJS.Signals>;
}

export interface StartOptions {
  env?: NodeJS.ProcessEnv;
  nodeArgs?: string[];
}

export class Launchers {
  readonly folder = mkdtempSync(join(tmpdir(), 'aiforge-launch-test-'));
  readonly #started: ChildProcess[] = [];

  start(args: string[], { env = {}, nodeArgs = [] }: StartOptions = {}): Launcher {
    return this.spawn(process.execPath, [...nodeArgs, cli, ...args], env);
  }

  spawn(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Launcher {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(PET|SLURM)_/.test(name));
    const child = spawn(file, args, {
      env: { ...Object.fromEntries(inherited), READY_FOLDER: this.folder, TMPDIR: this.folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#started.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
    const end = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    return { child, output: () => output, end };
  }

  /** A folder of its own within the test's. */
  folderOf(name: string): string {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  behave(behaviours: string[], flags: string[] = [], options: StartOptions = {}): Launcher {
    return this.start(['--nproc', `${behaviours.length}`, ...flags, fixture('behave.mjs'), ...behaviours], options);
  }

  async run(args: string[], options: StartOptions = {}): Promise<{ status: unknown; output: string }> {
    const launcher = this.start(args, options);
    return { status: await launcher.end, output: launcher.output() };
  }

  /** The variables of each rank that the fixture prints. */
  async environments(flags: string[], env: NodeJS.ProcessEnv = {}): Promise<Record<string, string>[]> {
    const { status, output } = await this.run([...flags, '--no-prefix', fixture('print-env.mjs')], { env });
    if (status !== 0) throw new Error(`aiforge-launch ended with ${String(status)}: ${output}`);
    return output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => (JSON.parse(line) as { env: Record<string, string> }).env)
      .sort((a, b) => Number(a.RANK) - Number(b.RANK));
  }

  close(): void {
    for (const child of this.#started) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The process ids of ranks and of what they started, once all ranks are ready. */
export async function allReady({ output }: Launcher, ranks: number): Promise<number[]> {
  await until(() => output().split('all ready').length - 1 === ranks);
  return printedPids(output());
}
