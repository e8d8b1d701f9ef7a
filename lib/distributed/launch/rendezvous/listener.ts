import type { AddressInfo, Server, Socket } from 'node:net';

import { Connection, type ConnectionTimes } from './connection.js';
import type { Coordinator } from './coordinator.js';
import { readNodeMessage, type Hello, type NodeMessage, type ServerMessage } from './messages.js';
import { listenOn } from './machine.js';

type Waiting = [connection: Connection<NodeMessage, ServerMessage>, hello: Hello];

/** Where a launcher listens for the others, should it have to serve them; who comes before it knows so waits. */
export class Listener {
  readonly #times: ConnectionTimes;
  readonly #servers: Server[] = [];
  readonly #waiting: Waiting[] = [];
  #coordinator: Coordinator | undefined;

  constructor(times: ConnectionTimes) {
    this.#times = times;
  }

  /** Listens on a port as well, 0 for a free one; gives the port, or undefined where something else listens there. */
  async listen(port: number): Promise<number | undefined> {
    const server = await listenOn(port, (socket) => this.#accept(socket));
    if (server === undefined) return undefined;
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** From now on who comes, and has come, is served. */
  serveBy(coordinator: Coordinator): void {
    this.#coordinator = coordinator;
    for (const [connection, hello] of this.#waiting.splice(0)) {
      if (!connection.isClosed) coordinator.take(connection, hello);
    }
  }

  close(): void {
    for (const [connection] of this.#waiting) connection.close('the launcher has ended');
    for (const server of this.#servers) server.close();
  }

  #accept(socket: Socket): void {
    if (this.#coordinator !== undefined) {
      this.#coordinator.accept(socket);
      return;
    }
    const connection = new Connection<NodeMessage, ServerMessage>(socket, readNodeMessage, this.#times);
    connection.onMessage = (message) => {
      if (message.type !== 'hello') return;
      connection.onMessage = undefined;
      if (this.#coordinator === undefined) this.#waiting.push([connection, message]);
      else this.#coordinator.take(connection, message);
    };
  }
}
