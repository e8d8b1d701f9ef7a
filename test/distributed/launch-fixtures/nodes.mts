// Launchers of several nodes of one machine, which meet at a port of their own.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { fixture, Launchers, type Launcher } from './launcher.mjs';
import { until } from './processes.mjs';

export const quick = 'keep_alive_interval=0.3,keep_alive_max_attempt=4,last_call_timeout=0.5,join_timeout=30';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The ranks that nodes said they have, as `rank of world`, at each restart. */
export function ranksOf(launchers: readonly Launcher[], restart: number): string[] {
  const said = launchers.map(({ output }) => output()).join('');
  const each = said.matchAll(/\] rank (\d+) of (\d+) local \d+ group \d+ of \d+ role \d+ of \d+ restart (\d+)/g);
  return [...each].filter(([, , , at]) => Number(at) === restart).map(([, rank, world]) => `${rank} of ${world}`);
}

export interface NodeFlags {
  nnodes: string;
  nproc?: number;
  restarts?: number;
  more?: readonly string[];
}

export class Nodes extends Launchers {
  private constructor(readonly port: number) {
    super();
  }

  static async make(): Promise<Nodes> {
    return new Nodes(await freePort());
  }

  /** Starts the launcher of one, with the ranks of the fixture `elastic.mjs`. */
  node({ nnodes, nproc = 1, restarts = 0, more = [] }: NodeFlags): Launcher {
    const meeting = ['--nnodes', nnodes, '--rdzv-endpoint', `127.0.0.1:${this.port}`, '--rdzv-conf', quick];
    const flags = [...meeting, '--max-restarts', `${restarts}`, '--shutdown-timeout', '5', ...more];
    return this.start([...flags, '--nproc', `${nproc}`, fixture('elastic.mjs')]);
  }

  /** Tells the ranks something by a file, see the fixture. */
  mark(name: string): void {
    writeFileSync(path.join(this.folder, name), '');
  }
}

export const statuses = (nodes: readonly Launcher[]): Promise<(number | NodeJS.Signals)[]> =>
  Promise.all(nodes.map(({ end }) => end));

/** Waits until as many ranks as that are in one world. */
export const world = (nodes: readonly Launcher[], size: number, restart = 0): Promise<void> =>
  until(() => ranksOf(nodes, restart).filter((rank) => rank.endsWith(` of ${size}`)).length >= size);
