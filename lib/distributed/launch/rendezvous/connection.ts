import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';

const headerBytes = 4;
/** A list of thousands of peers fits; anything longer is no message. */
const longestMessage = 8 * 1024 * 1024;

export interface ConnectionTimes {
  /** How often to say that this end lives, in ms. */
  aliveMs: number;
  /** After how long a silence the other end counts as lost, in ms. */
  lostMs: number;
}

/**
 * One end of a conversation of launchers: JSON texts, each after its length in four bytes. Whatever comes is checked by `read`; what is
 * no message ends the conversation, and so does silence.
 */
export class Connection<Received, Sent extends { type: string }> {
  onMessage: ((message: Received) => void) | undefined;
  onClose: ((reason: string) => void) | undefined;
  readonly socket: Socket;
  readonly #read: (value: unknown) => Received;
  readonly #alive: NodeJS.Timeout;
  /** The socket's own timer would start again with each message that is sent, too. */
  readonly #silence: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #isClosed = false;

  constructor(socket: Socket, read: (value: unknown) => Received, { aliveMs, lostMs }: ConnectionTimes) {
    this.socket = socket;
    this.#read = read;
    socket.setNoDelay(true);
    this.#silence = setTimeout(() => this.close(`nothing was heard for ${lostMs / 1000} s`), lostMs);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.close(error.message));
    socket.on('close', () => this.close('the connection was closed'));
    this.#alive = setInterval(() => this.#write({ type: 'alive' }), aliveMs);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(message: Sent): void {
    this.#write(message);
  }

  /** Sends what was said before, and ends the conversation without a word to `onClose`. */
  end(): void {
    this.onClose = undefined;
    this.#stopTimers();
    this.#isClosed = true;
    this.socket.end();
    this.socket.setTimeout(1000, () => this.socket.destroy());
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTimers();
    this.socket.destroy();
    this.onClose?.(reason);
  }

  #stopTimers(): void {
    clearInterval(this.#alive);
    clearTimeout(this.#silence);
  }

  #write(message: { type: string }): void {
    if (this.#isClosed) return;
    const body = Buffer.from(JSON.stringify(message));
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32BE(body.length);
    this.socket.write(Buffer.concat([header, body]));
  }

  #receive(chunk: Buffer): void {
    this.#silence.refresh();
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    for (let message = this.#next(); message !== undefined && !this.#isClosed; message = this.#next()) {
      this.#take(message);
    }
  }

  #take(message: Buffer): void {
    let received: Received;
    try {
      received = this.#read(JSON.parse(message.toString()));
    } catch {
      this.close('what came is no message of a launcher');
      return;
    }
    this.onMessage?.(received);
  }

  #next(): Buffer | undefined {
    if (this.#length < headerBytes || this.#isClosed) return undefined;
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    const size = all.readUInt32BE(0);
    if (size > longestMessage) {
      this.close('what came is no message of a launcher');
      return undefined;
    }
    this.#chunks.splice(0, this.#chunks.length, all);
    if (all.length < headerBytes + size) return undefined;
    const rest = all.subarray(headerBytes + size);
    this.#chunks.splice(0, 1, ...(rest.length > 0 ? [rest] : []));
    this.#length = rest.length;
    return all.subarray(headerBytes, headerBytes + size);
  }
}
