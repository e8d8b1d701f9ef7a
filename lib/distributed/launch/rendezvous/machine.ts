import { lookup } from 'node:dns/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

/** Whether a host is this machine: by name, or by an address that one of its interfaces has. */
export async function isThisMachine(host: string): Promise<boolean> {
  if (host === 'localhost' || host === hostname()) return true;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.some(({ address }) => own.includes(address) || address.startsWith('127.') || address === '::1');
}

/** Listens on a port of every address; undefined where something else does already. */
export async function listenOn(port: number, onConnection: (socket: Socket) => void): Promise<Server | undefined> {
  const server = createServer(onConnection);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(port, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

/** The interface that has an address, unless it leads to this machine alone. */
export function interfaceOf(address: string): string | undefined {
  const named = Object.entries(networkInterfaces());
  return named.find(([, of]) => of?.some((each) => each.address === address && !each.internal))?.[0];
}
