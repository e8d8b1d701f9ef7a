import { Buffer } from 'node:buffer';
import { AiforgeError } from '../../errors.js';

/** How much a store takes in one call; where a `TCPStore` is given more, its server closes the connection. */
export class StoreLimits {
  readonly #keyBytes: number;
  readonly #valueBytes: number;
  readonly #keys: number;

  private constructor(keyBytes: number, valueBytes: number, keys: number) {
    this.#keyBytes = keyBytes;
    this.#valueBytes = valueBytes;
    this.#keys = keys;
  }

  /** Of stores whose limit is the memory. */
  static readonly none = new StoreLimits(Infinity, Infinity, Infinity);

  /** Of c10d's server, which puts a slash before each key. */
  static readonly ofServer = new StoreLimits(8 * 1024 - 1, 8 * 1024 * 1024, 128 * 1024);

  /** What is left for the keys behind a prefix and a slash. */
  behind(prefix: string): StoreLimits {
    return new StoreLimits(this.#keyBytes - Buffer.byteLength(prefix) - 1, this.#valueBytes, this.#keys);
  }

  /** Throws `INVALID_ARGUMENT` for keys that are too long or too many. */
  checkKeys(name: string, keys: readonly string[]): void {
    if (this.#keyBytes === Infinity) return;
    if (keys.length > this.#keys) {
      throw refusal(name, `got ${keys.length} keys; a TCPStore takes at most ${this.#keys} in one call`);
    }
    const long = keys.find((key) => key.length * 3 > this.#keyBytes && Buffer.byteLength(key) > this.#keyBytes);
    if (long === undefined) return;
    const most = Math.max(this.#keyBytes, 0);
    throw refusal(
      name,
      `the key '${long.slice(0, 20)}…' has ${Buffer.byteLength(long)} bytes; a TCPStore takes keys of at most ${most} bytes here`,
    );
  }

  /** The same for a value. */
  checkValue(name: string, what: string, bytes: Uint8Array): void {
    if (bytes.length <= this.#valueBytes) return;
    throw refusal(
      name,
      `${what} has ${bytes.length} bytes; a TCPStore takes at most ${this.#valueBytes} (8 MiB) in one call: set parts under several ` +
        'keys, or send what is large by broadcastBytes',
    );
  }
}

function refusal(name: string, problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}.`);
}
