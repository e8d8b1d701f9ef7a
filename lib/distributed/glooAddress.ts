import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { hostname } from 'node:os';

import type { Store } from './stores/store.js';

/** Whether an address leads to this machine alone, as 127.0.1.1 and ::1 do. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.|^::1$/i.test(address);
}

/** The first address of a host; undefined where there is none. */
async function addressOf(host: string): Promise<string | undefined> {
  if (isIP(host) !== 0) return host;
  return (await lookup(host).catch(() => undefined))?.address;
}

/** The address of this machine by which it reaches a host; undefined where that is a loopback address, or there is none. Sends nothing. */
export async function addressTowards(host: string, port: number): Promise<string | undefined> {
  const there = await addressOf(host);
  if (there === undefined || isLoopback(there)) return undefined;
  const socket = createSocket(isIPv6(there) ? 'udp6' : 'udp4');
  try {
    socket.connect(port, there);
    await once(socket, 'connect');
    const { address } = socket.address();
    return isLoopback(address) ? undefined : address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

/**
 * Where Gloo is to listen: by itself it takes the address of the host's name. Where that is a loopback address, and the server of the store is
 * on another machine, it is the address by which this one reaches the server. Null: where Gloo itself says, or `GLOO_SOCKET_IFNAME`.
 */
export async function glooAddress({ addressTowardsServer }: Store): Promise<string | null> {
  const { GLOO_SOCKET_IFNAME = '' } = process.env;
  if (GLOO_SOCKET_IFNAME !== '' || addressTowardsServer === undefined) return null;
  const own = await addressOf(hostname());
  return own === undefined || isLoopback(own) ? addressTowardsServer : null;
}
