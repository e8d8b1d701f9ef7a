import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

/** How a rank ended; `results` are the lines of JSON that it printed. */
export interface Rank {
  status: number | null;
  signal: NodeJS.Signals | null;
  results: Record<string, unknown>[];
  output: string;
}

export interface Command {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export function fixture(name: string): string {
  return join(process.cwd(), 'test', 'distributed', 'fixtures', name);
}

function parse(line: string): Record<string, unknown>[] {
  return line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [];
}

async function runRank({ command, args, env }: Command): Promise<Rank> {
  const child = spawn(command, args, { env: { ...process.env, OMP_NUM_THREADS: '1', ...env } });
  // A rank that hangs is a failure with a signal, and no hanging test.
  const guard = setTimeout(() => child.kill('SIGKILL'), Number(env?.GUARD_MS ?? 90_000));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(guard);
  return { status, signal, results: stdout.split('\n').flatMap(parse), output: stdout + stderr };
}

/** Runs one command for each rank of a group, in the environment that a launcher would give it. */
export async function runCommands(commands: readonly Command[], { port }: { port?: number } = {}): Promise<Rank[]> {
  const masterPort = port ?? (await freePort());
  return Promise.all(
    commands.map((command, rank) =>
      runRank({
        ...command,
        env: {
          RANK: String(rank),
          LOCAL_RANK: String(rank),
          WORLD_SIZE: String(commands.length),
          MASTER_ADDR: '127.0.0.1',
          MASTER_PORT: String(masterPort),
          ...command.env,
        },
      }),
    ),
  );
}

export function nodeRank(name: string, env: NodeJS.ProcessEnv = {}, nodeOptions: string[] = []): Command {
  return { command: process.execPath, args: [...nodeOptions, fixture(name)], env };
}

/** Runs a fixture on two ranks. */
export async function runTwo(name: string, env: NodeJS.ProcessEnv = {}): Promise<[Rank, Rank]> {
  return (await runCommands([nodeRank(name, env), nodeRank(name, env)])) as [Rank, Rank];
}
