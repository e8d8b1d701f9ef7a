import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { RankCommand } from './command.js';

// Every line lists the process groups alive now; when the launcher is gone, however it went, the last list is killed.
const watchScript = `
trap '' INT TERM HUP
groups=
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

/**
 * A small process beside the launcher that kills the ranks' process groups when the launcher ends without having
 * stopped them, as after SIGKILL. It reaches what the ranks started, too, and needs nothing of the ranks.
 */
export class OrphanGuard {
  readonly #watcher: ChildProcess;
  readonly #groups = new Set<number>();
  readonly #ended: Promise<unknown>;

  constructor(warn: (message: string) => void) {
    this.#watcher = spawn('/bin/sh', ['-c', watchScript], {
      detached: true,
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#ended = once(this.#watcher, 'exit').catch((error: unknown) => {
      warn(`ranks may outlive this launcher if it is killed: /bin/sh did not start (${String(error)})`);
    });
    // A watcher that is gone has nothing to be told.
    this.#watcher.stdin?.on('error', () => undefined);
  }

  /** From now on the process group dies with the launcher. */
  watch(group: number): void {
    this.#groups.add(group);
    this.#tell();
  }

  /** The process group is gone; its number may come to mean something else. */
  forget(group: number): void {
    this.#groups.delete(group);
    this.#tell();
  }

  #tell(): void {
    this.#watcher.stdin?.write(`${[...this.#groups].join(' ')}\n`);
  }

  /** Ends the watcher, which kills what is still watched. */
  async close(): Promise<void> {
    this.#watcher.stdin?.end();
    await this.#ended;
  }
}

/** Wraps a command so that Linux kills it with its parent, where `setpriv` can ask for that. */
export function bindToParent(command: RankCommand, env: NodeJS.ProcessEnv): RankCommand {
  const bind = ['--pdeathsig', 'KILL', '--'];
  if (process.platform !== 'linux') return command;
  if (spawnSync('setpriv', [...bind, 'true'], { env }).status !== 0) return command;
  return { file: 'setpriv', args: [...bind, command.file, ...command.args] };
}
