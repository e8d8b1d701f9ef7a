import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

// Every line lists the process groups alive now; when the launcher is gone, however it went, the last list is killed, and what they
// have started in sessions of their own, which inherits the name of a file in the launch's folder; then the folder is removed.
const watchScript = `
trap '' INT TERM HUP QUIT USR1 USR2 PIPE
folder=$1
groups=
while read -r line; do groups=$line; done
[ "$groups" = done ] && exit 0
for group in $groups; do kill -s KILL -- "-$group"; done
[ -n "$folder" ] || exit 0
turns=0
while [ $turns -lt 40 ]; do
  found=$(grep -lsaF -e "AIFORGE_ERROR_FILE=$folder/" /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  for file in $found; do pid=\${file#/proc/}; kill -s KILL "\${pid%/environ}"; done
  turns=$((turns + 1))
  sleep 0.05
done
rm -rf -- "$folder"
`;

/**
 * A small process beside the launcher that kills the ranks' process groups when the launcher ends without having
 * stopped them, as after SIGKILL. It reaches what the ranks started, too, and needs nothing of the ranks.
 */
export class OrphanGuard {
  readonly #watcher: ChildProcess;
  readonly #groups = new Set<number>();
  readonly #ended: Promise<unknown>;

  /** @param folder Of the launch, removed with the ranks; none where they have none. */
  constructor(warn: (message: string) => void, folder?: string) {
    // A line feed would be two patterns, and the second may be found in anything.
    const known = folder?.includes('\n') === false ? [folder] : [];
    this.#watcher = spawn('/bin/sh', ['-c', watchScript, 'aiforge-guard', ...known], {
      detached: true,
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
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
    if (this.#groups.size === 0) this.#watcher.stdin?.write('done\n');
    this.#watcher.stdin?.end();
    await this.#ended;
  }
}

/** The words before a command that have Linux kill it with its parent; none where `setpriv` cannot ask for that. */
export function bindingToParent(env: NodeJS.ProcessEnv): string[] {
  const binding = ['setpriv', '--pdeathsig', 'KILL', '--'];
  if (process.platform !== 'linux') return [];
  return spawnSync('setpriv', [...binding.slice(1), 'true'], { env }).status === 0 ? binding : [];
}
