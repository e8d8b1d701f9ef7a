import { Buffer } from 'node:buffer';
import { AiforgeError } from '../../errors.js';

/** How much a store takes in one call; where a `TCPStore` is given more, its server closes the connection. */
export class StoreLimits {
  readonly #keyBytes: number;
  readonly #valueBytes: number;
  readonly #keys: number;
  /** Of the prefixes, each with its slash. */
  readonly #prefixBytes: number;

  private constructor(keyBytes: number, valueBytes: number, keys: number, prefixBytes = 0) {
    this.#keyBytes = keyBytes;
    this.#valueBytes = valueBytes;
    this.#keys = keys;
    this.#prefixBytes = prefixBytes;
  }

  /** Of stores whose limit is the memory. */
  static readonly none = new StoreLimits(Infinity, Infinity, Infinity);

  /** Of c10d's server, which puts a slash before each key. */
  static readonly ofServer = new StoreLimits(8 * 1024 - 1, 8 * 1024 * 1024, 128 * 1024);

  /** Of keys behind a prefix. */
  behind(prefix: string): StoreLimits {
    const prefixBytes = this.#prefixBytes + Buffer.byteLength(prefix) + 1;
    return new StoreLimits(this.#keyBytes, this.#valueBytes, this.#keys, prefixBytes);
  }

  /** Throws `INVALID_ARGUMENT` for keys that are too long or too many. */
  checkKeys(name: string, keys: readonly string[]): void {
    if (keys.length > this.#keys) {
      throw refusal(name, `got ${keys.length} keys; a TCPStore takes at most ${this.#keys} in one call`);
    }
    for (const key of keys) if (key.length * 3 + this.#prefixBytes > this.#keyBytes) this.#checkKey(name, key);
  }

  #checkKey(name: string, key: string): void {
    const bytes = this.#prefixBytes + Buffer.byteLength(key);
    if (bytes <= this.#keyBytes) return;
    const counted = this.#prefixBytes === 0 ? `${bytes} bytes` : `${bytes} bytes with its prefix`;
    throw refusal(name, `the key '${key.slice(0, 20)}…' has ${counted}; a TCPStore takes at most ${this.#keyBytes}`);
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
