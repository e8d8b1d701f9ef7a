import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { AiforgeError } from '../../errors.js';
import type { Settings } from './options.js';

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

/** The port rank 0 will listen on: a free one, or the one asked for. Throws LAUNCH_FAILED if it cannot be had. */
export async function chooseMasterPort(settings: Settings): Promise<number> {
  // Only the first machine listens, so only there does it say anything about the port.
  if (settings.nodeRank !== 0) return settings.masterPort;
  try {
    return await listenBriefly(settings.masterPort);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'is already in use' : `cannot be listened on (${message})`;
    throw new AiforgeError(
      'LAUNCH_FAILED',
      `The master port ${settings.masterPort} ${reason}: choose another, or leave it out to have a free one chosen.`,
      { cause: error },
    );
  }
}
