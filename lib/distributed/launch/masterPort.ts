import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { AiforgeError } from '../../errors.js';

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

/** A port of this node for rank 0 to listen on: a free one, or the one asked for. Throws LAUNCH_FAILED if it cannot be had. */
export async function chooseMasterPort(port: number): Promise<number> {
  try {
    return await listenBriefly(port);
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
