import { Buffer } from 'node:buffer';
import { Counter } from '../counter.js';
import { AiforgeError } from '../errors.js';
import { isMap, isPlainObject, isSet, isUint8Array } from '../realms.js';
import { show } from '../show.js';
import { requireMemory } from '../tensor/conversion/typedArrays.js';
import { Keys } from './keys.js';
import { Call, GlobalName, PersistentId, Tuple } from './pythonValues.js';
import { encodeText } from './text.js';

/**
 * What Python should see of a value that JavaScript's own kinds do not say: one of those above, or another value; undefined
 * for what cannot be saved.
 */
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
  // Of two's complement, with the sign; the text for a power of two takes time in proportion to the length.
  const length = Math.floor((big < 0n ? -big - 1n : big).toString(2).length / 8) + 1;
  if (length > 255) {
    const bits = big.toString(2).length;
    throw new AiforgeError('INVALID_ARGUMENT', `save: an integer of ${bits} bits is too large, expected at most 2039.`);
  }
  const digits = BigInt.asUintN(8 * length, big)
    .toString(16)
    .padStart(2 * length, '0');
  return Buffer.concat([Buffer.from([0x8a, length]), Buffer.from(digits, 'hex').reverse()]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.write('G');
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** A value that is stored or read from Python's memo, under a number. */
function numbered([short, long]: readonly [string, string], index: number): Buffer {
  if (index < 256) return Buffer.of(short.charCodeAt(0), index);
  const bytes = Buffer.alloc(5);
  bytes.write(long);
  bytes.writeUInt32LE(index, 1);
  return bytes;
}

const PUT = ['q', 'r'] as const;
const GET = ['h', 'j'] as const;

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);

/** What is no object; undefined for what cannot be saved. */
function scalar(value: unknown): Buffer | undefined {
  if (value === null) return code('N');
  if (typeof value === 'boolean') return Buffer.of(value ? 0x88 : 0x89);
  if (typeof value === 'string') return withLength('X', encodeText(value));
  if (typeof value === 'number') return isWhole(value) ? integer(value) : float(value);
  return typeof value === 'bigint' ? integer(value) : undefined;
}

/** Collections and bytes, which are calls in a pickle. */
function encodeBuiltIn(value: object): Call | undefined {
  if (value instanceof Counter) return new Call(new GlobalName('collections', 'Counter'), [new Map(value)]);
  if (isSet(value)) {
    const keys = new Keys();
    return new Call(new GlobalName('__builtin__', 'set'), [[...value].map((item) => keys.add(item))]);
  }
  if (!isUint8Array(value)) return undefined;
  requireMemory(value, 'save');
  return new Call(new GlobalName('_codecs', 'encode'), [Buffer.from(value).toString('latin1'), 'latin1']);
}

/** A value within another, and what its place there is called. */
class Item {
  constructor(
    readonly value: unknown,
    readonly label: string,
  ) {}
}

/** What is being written: what remains of it, and the place of the value within that was begun last. */
interface Open {
  readonly steps: Iterator<Buffer | Item>;
  label: string;
}

/**
 * Writes a pickle of protocol 2, as `torch.save` does. A value that occurs again is referred to, so that it is one when it is
 * read. What is nested without bound takes no call stack.
 */
export class PickleWriter {
  readonly #encode: Encode;
  readonly #chunks: Buffer[] = [];
  readonly #open: Open[] = [];
  readonly #memo = new Map<object, number>();
  readonly #calls = new Set<object>();

  constructor(encode: Encode) {
    this.#encode = encode;
  }

  pickle(value: unknown): Buffer {
    this.#chunks.push(Buffer.from([0x80, 2]));
    this.#write(value);
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      const next = open.steps.next();
      const step = next.done === true ? undefined : next.value;
      if (step === undefined) this.#open.pop();
      else if (step instanceof Item) {
        open.label = step.label;
        this.#write(step.value);
      } else this.#chunks.push(step);
    }
    this.#chunks.push(code('.'));
    return Buffer.concat(this.#chunks);
  }

  #write(value: unknown): void {
    const bytes = scalar(value);
    if (bytes !== undefined) this.#chunks.push(bytes);
    else if (typeof value === 'object' && value !== null) this.#begin(value);
    else throw this.#refuse(value);
  }

  #begin(value: object): void {
    const index = this.#memo.get(value);
    if (index !== undefined) this.#chunks.push(numbered(GET, index));
    else this.#open.push({ steps: this.#steps(value), label: '' });
  }

  *#steps(value: object): Generator<Buffer | Item> {
    if (value instanceof GlobalName) yield code(`c${value.module}\n${value.name}\n`);
    else if (value instanceof Tuple) yield* this.#tuple(value.items);
    else if (value instanceof Call) {
      yield new Item(value.callee, '');
      yield* this.#tuple(value.args);
      yield code('R');
    } else if (value instanceof PersistentId) {
      yield new Item(value.id, '');
      yield code('Q');
    } else if (Array.isArray(value)) {
      yield code(']');
      yield this.#remember(value);
      yield* this.#items('(', value, 'e');
    } else if ((isMap(value) && !(value instanceof Counter)) || isPlainObject(value)) {
      yield code('}');
      yield this.#remember(value);
      yield* this.#entries(value);
    } else {
      const encoded = encodeBuiltIn(value) ?? this.#encode(value);
      // What a call is given is written before it can be referred to.
      if (encoded === undefined || this.#calls.has(value)) throw this.#refuse(value);
      this.#calls.add(value);
      yield new Item(encoded, '');
      this.#calls.delete(value);
      yield this.#remember(value);
    }
  }

  #remember(value: object): Buffer {
    const index = this.#memo.size;
    this.#memo.set(value, index);
    return numbered(PUT, index);
  }

  *#tuple(items: readonly unknown[]): Generator<Buffer | Item> {
    yield* this.#items('(', items, 't');
  }

  *#items(open: string, items: readonly unknown[], close: string): Generator<Buffer | Item> {
    yield code(open);
    // By index, which finds holes: Python's lists have none.
    for (let i = 0; i < items.length; ++i) yield scalar(items[i]) ?? new Item(items[i], `[${i}]`);
    yield code(close);
  }

  *#entries(value: object): Generator<Buffer | Item> {
    yield code('(');
    const keys = new Keys();
    const entries = isMap(value) ? value : entriesOf(value as Record<string, unknown>);
    for (const [key, item] of entries) {
      yield new Item(keys.add(key), '');
      yield new Item(item, `.${String(key)}`);
    }
    yield code('u');
  }

  #refuse(value: unknown): AiforgeError {
    const path = this.#open.map(({ label }) => label).join('');
    const place = path === '' ? 'the value' : path.replace(/^\./, '');
    return new AiforgeError(
      'INVALID_ARGUMENT',
      `save: ${place.length > 200 ? `${place.slice(0, 200)}…` : place} is ${show(value)}. Only tensors, numbers, texts, booleans, null, bytes, arrays, Maps, Sets and plain objects can be saved; of a module its stateDict().`,
    );
  }
}

// JavaScript's keys are texts. Those of an optimizer's state are numbers in Python; its values are dictionaries.
function* entriesOf(value: Record<string, unknown>): Generator<[string | number, unknown]> {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const isNumbered =
    entries.length > 0 &&
    entries.every(([key, item]) => /^(0|[1-9]\d{0,14})$/.test(key) && typeof item === 'object' && item !== null) &&
    entries.every(([, item]) => isPlainObject(item));
  for (const [key, item] of entries) yield [isNumbered ? Number(key) : key, item];
}
