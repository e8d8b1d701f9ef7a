import { checkDepth } from '../../depth.js';
import { AiforgeError } from '../../errors.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { fromShared, releaseShared, Tensor, transfer, type SharedTensor } from '../../tensor/index.js';

/** A value as `postMessage` copies it, in which tensors are tokens and not copied. */
export type Message =
  | { readonly plain: unknown }
  | { readonly list: readonly Message[] }
  | { readonly object: readonly (readonly [string, Message])[] }
  | { readonly tensor: SharedTensor }
  /** What is made again there, by a name and by what it is made of. */
  | { readonly made: string; readonly of: Message };

/** Tells how to make objects again that cannot be copied; undefined where they cannot be made either. */
export type Describe = (value: object) => { made: string; of: unknown } | undefined;

/** Turns values into messages. What fails half way is let go of. */
export class Packer {
  readonly #tokens: SharedTensor[] = [];

  /** @param send `transfer` where this thread gives its tensors away, `share` where any number of threads takes them. */
  constructor(
    private readonly send: (tensor: Tensor) => SharedTensor,
    private readonly describe: Describe = () => undefined,
  ) {}

  /** Throws INVALID_ARGUMENT for what cannot be sent, and says where it stands. */
  pack(value: unknown, place: string): Message {
    try {
      return this.#pack(value, place, 0);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Lets go of what nobody is going to receive. */
  release(): void {
    for (const token of this.#tokens.splice(0)) releaseShared(token);
  }

  #pack(value: unknown, place: string, depth: number): Message {
    checkDepth(depth, place);
    if (typeof value === 'function') return this.#described(value, place, depth);
    if (typeof value !== 'object' || value === null) return { plain: value };
    if (Tensor.isTensor(value)) return { tensor: this.#token(value) };
    const described = this.describe(value);
    if (described !== undefined) return { made: described.made, of: this.#pack(described.of, place, depth + 1) };
    if (Array.isArray(value)) return this.#list(value, place, depth);
    if (isPlainObject(value)) {
      const entries = Object.entries(value);
      return {
        object: entries.map(
          ([key, each]) => [key, this.#pack(each, place === '' ? key : `${place}.${key}`, depth + 1)] as const,
        ),
      };
    }
    return isCopied(value) ? { plain: value } : this.#described(value, place, depth);
  }

  #list(list: readonly unknown[], place: string, depth: number): Message {
    if (list.every((each) => typeof each === 'number' || typeof each === 'string')) return { plain: list };
    return { list: Array.from(list, (each, i) => this.#pack(each, `${place}[${i}]`, depth + 1)) };
  }

  #described(value: object, place: string, depth: number): Message {
    const described = this.describe(value);
    if (described !== undefined) return { made: described.made, of: this.#pack(described.of, place, depth + 1) };
    throw new AiforgeError('INVALID_ARGUMENT', `${place} is ${show(value)}, which cannot be sent to another thread`);
  }

  #token(tensor: Tensor): SharedTensor {
    let token: SharedTensor;
    try {
      token = this.send(tensor);
    } catch (error) {
      if (!(error instanceof AiforgeError) || error.code !== 'INVALID_ARGUMENT') throw error;
      // The memory of a typed array is this thread's alone.
      token = transfer(tensor.clone());
    }
    this.#tokens.push(token);
    return token;
  }
}

const copied = ['Date', 'RegExp', 'Map', 'Set', 'ArrayBuffer', 'SharedArrayBuffer', 'Error', 'Boolean', 'String'];

const isCopied = (value: object): boolean =>
  ArrayBuffer.isView(value) || copied.includes(Object.prototype.toString.call(value).slice(8, -1));

/** The value of a message of which nothing has to be made; its tensors are received. */
export function received(message: Message): unknown {
  if ('plain' in message) return message.plain;
  if ('tensor' in message) return fromShared(message.tensor);
  if ('list' in message) return message.list.map(received);
  if ('made' in message) throw new Error(`'${message.made}' is to be made`);
  return Object.fromEntries(message.object.map(([key, each]) => [key, received(each)]));
}

/** Lets go of the tensors of a message that nobody wants any more. */
export function release(message: Message): void {
  if ('tensor' in message) releaseShared(message.tensor);
  else if ('list' in message) message.list.forEach(release);
  else if ('object' in message) message.object.forEach(([, each]) => release(each));
  else if ('made' in message) release(message.of);
}
