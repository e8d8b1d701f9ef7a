import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';

import { AiforgeError } from '../../errors.js';

/** Between the ports that services are known by and those of Kubernetes' services. */
const quiet = { first: 10_000, last: 29_000 };
/** Fewer would be taken by launches that choose at one time. */
const fewest = 1000;
const mostTries = 50;

/**
 * The ports of which the system gives none to whoever asks for any, by Linux's `ip_local_port_range`; undefined where it does not tell,
 * or leaves too few.
 */
export function portsLeftAlone(range: string): { first: number; last: number } | undefined {
  const [low = 0, high = 0] = range.trim().split(/\s+/).map(Number);
  const sides = [
    { first: quiet.first, last: Math.min(quiet.last, low - 1) },
    { first: high + 1, last: 65_535 },
  ];
  return low > 0 ? sides.find(({ first, last }) => last - first >= fewest) : undefined;
}

function ownPortRange(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  } catch {
    return '';
  }
}

async function listenBriefly(port: number): Promise<number> {
  const server = createServer();
  // Without a host this binds to every address, as c10d's TCPStore does.
  server.listen(port);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return bound;
}

/** A free port that stays free until rank 0 listens, some seconds later: the system must not give it to another program meanwhile. */
async function chooseFreePort(): Promise<number> {
  const ports = portsLeftAlone(ownPortRange());
  for (let tries = 0; ports !== undefined && tries < mostTries; tries++) {
    const port = await listenBriefly(randomInt(ports.first, ports.last + 1)).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return listenBriefly(0);
}

/** A port of this node for rank 0 to listen on: a free one where it is 0, or the one asked for. Throws LAUNCH_FAILED if it cannot be had. */
export async function chooseMasterPort(port: number): Promise<number> {
  try {
    return await (port === 0 ? chooseFreePort() : listenBriefly(port));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'is already in use' : `cannot be listened on (${message})`;
    throw new AiforgeError(
      'LAUNCH_FAILED',
      `The master port ${port} ${reason}: choose another, or leave it out to have a free one chosen.`,
      { cause: error },
    );
  }
}
