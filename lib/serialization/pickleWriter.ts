import { Counter } from '../counter.js';
import { AiforgeError } from '../errors.js';
import { show } from '../show.js';

/** A value that is a call of a global in Python. */
export class Call {
  constructor(
    readonly callee: GlobalName,
    readonly args: readonly unknown[],
  ) {}
}

/** A name of Python: its module, and its name there. */
export class GlobalName {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}
}

/** A tuple of Python; arrays are lists. */
export class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** What `host` of the reading side resolves. */
export class PersistentId {
  constructor(readonly id: Tuple) {}
}

/** Turns a value into those above where JavaScript's do not say what Python should see; undefined: it cannot be saved. */
export type Encode = (value: object) => object | undefined;

const INT32 = 2 ** 31;

const code = (text: string): Buffer => Buffer.from(text, 'latin1');

function withLength(operation: string, bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(operation, 'latin1');
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function integer(value: number | bigint): Buffer {
  if (value >= -INT32 && value < INT32) {
    const bytes = Buffer.alloc(5);
    bytes.write('J');
    bytes.writeInt32LE(Number(value), 1);
    return bytes;
  }
  const big = BigInt(value);
  const length = Math.floor(big.toString(2).length / 8) + 1;
  const unsigned = BigInt.asUintN(8 * length, big);
  const digits = Uint8Array.from({ length }, (_, i) => Number((unsigned >> BigInt(8 * i)) & 0xffn));
  if (length > 255) throw new AiforgeError('INVALID_ARGUMENT', `save: the integer ${big} is too large.`);
  return Buffer.concat([Buffer.from([0x8a, length]), digits]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.write('G');
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/** Writes a pickle of protocol 2, as `torch.save` does. */
export class PickleWriter {
  readonly #encode: Encode;
  readonly #chunks: Buffer[] = [];
  readonly #open = new Set<object>();

  constructor(encode: Encode) {
    this.#encode = encode;
  }

  pickle(value: unknown): Buffer {
    this.#put(Buffer.from([0x80, 2]));
    this.#write(value, '');
    this.#put(code('.'));
    return Buffer.concat(this.#chunks);
  }

  #put(bytes: Buffer): void {
    this.#chunks.push(bytes);
  }

  #write(value: unknown, path: string): void {
    if (value === null) this.#put(code('N'));
    else if (typeof value === 'boolean') this.#put(Buffer.from([value ? 0x88 : 0x89]));
    else if (typeof value === 'string') this.#put(withLength('X', Buffer.from(value, 'utf8')));
    else if (typeof value === 'number') this.#put(isWhole(value) ? integer(value) : float(value));
    else if (typeof value === 'bigint') this.#put(integer(value));
    else if (typeof value === 'object') this.#nested(value, path);
    else throw refuse(value, path);
  }

  #nested(value: object, path: string): void {
    if (this.#open.has(value)) {
      throw new AiforgeError('INVALID_ARGUMENT', `save: ${path || 'the value'} contains itself.`);
    }
    this.#open.add(value);
    this.#object(value, path);
    this.#open.delete(value);
  }

  #object(value: object, path: string): void {
    if (value instanceof GlobalName) this.#put(code(`c${value.module}\n${value.name}\n`));
    else if (value instanceof Tuple) this.#sequence('(', value.items, 't', path);
    else if (value instanceof Call) {
      this.#write(value.callee, path);
      this.#sequence('(', value.args, 't', path);
      this.#put(code('R'));
    } else if (value instanceof PersistentId) {
      this.#write(value.id, path);
      this.#put(code('Q'));
    } else if (Array.isArray(value)) this.#sequence('](', value, 'e', path);
    else if (value instanceof Counter) {
      this.#write(new Call(new GlobalName('collections', 'Counter'), [new Map(value)]), path);
    } else if (value instanceof Map) this.#dictionary(value as Map<unknown, unknown>, path);
    else {
      const encoded = this.#encode(value);
      if (encoded !== undefined) this.#write(encoded, path);
      else if (isPlain(value)) this.#dictionary(entriesOf(value as Record<string, unknown>), path);
      else throw refuse(value, path);
    }
  }

  #sequence(open: string, items: readonly unknown[], close: string, path: string): void {
    this.#put(code(open));
    items.forEach((item, i) => this.#write(item, `${path}[${i}]`));
    this.#put(code(close));
  }

  #dictionary(entries: Iterable<[unknown, unknown]>, path: string): void {
    this.#put(code('}('));
    for (const [key, item] of entries) {
      this.#write(key, path);
      this.#write(item, `${path}.${String(key)}`);
    }
    this.#put(code('u'));
  }
}

// JavaScript's keys are texts. Those of an optimizer's state are numbers in Python; its values are dictionaries.
function* entriesOf(value: Record<string, unknown>): Generator<[string | number, unknown]> {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const isNumbered =
    entries.length > 0 &&
    entries.every(([key, item]) => /^(0|[1-9]\d{0,14})$/.test(key) && typeof item === 'object' && item !== null) &&
    entries.every(([, item]) => isPlain(item as object));
  for (const [key, item] of entries) yield [isNumbered ? Number(key) : key, item];
}

function refuse(value: unknown, path: string): AiforgeError {
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `save: ${path === '' ? 'the value' : path.replace(/^\./, '')} is ${show(value)}. Only tensors, numbers, texts, booleans, null, arrays, Maps and plain objects can be saved; of a module its stateDict().`,
  );
}
