import { Buffer } from 'node:buffer';
import { ByteWriter } from './byteWriter.js';
import { Counter } from '../counter.js';
import { AiforgeError } from '../errors.js';
import { isMap, isPlainObject, isSet, isUint8Array } from '../realms.js';
import { show } from '../show.js';
import { requireMemory } from '../tensor/conversion/typedArrays.js';
import { Keys } from './keys.js';
import { Call, GlobalName, PersistentId, Tuple } from './pythonValues.js';

/**
 * What Python should see of a value that JavaScript's own kinds do not say: one of those above, or another value; undefined
 * for what cannot be saved.
 */
export type Encode = (value: object) => object | undefined;

const INT32 = 2 ** 31;

// Of those that come first, as the keys of records do, a text that occurs again is referred to; to know more costs more than it saves.
const KNOWN_TEXTS = 1 << 16;

const code = (letter: string): number => letter.charCodeAt(0);

const [MARK, GLOBAL, REDUCE, PERSISTENT] = [code('('), code('c'), code('R'), code('Q')];
const [EMPTY_LIST, APPENDS, EMPTY_DICT, SETITEMS, TUPLE] = [code(']'), code('e'), code('}'), code('u'), code('t')];
const [NONE, TRUE, FALSE, TEXT, FLOAT] = [code('N'), 0x88, 0x89, code('X'), code('G')];
const [INT_1, INT_2, INT_4, LONG_1] = [code('K'), code('M'), code('J'), 0x8a];
const [PROTOCOL, STOP] = [0x80, code('.')];
/** To store in Python's memo and to read from it, under a number of one byte and of four. */
const [PUT_1, PUT_4, GET_1, GET_4] = [code('q'), code('r'), code('h'), code('j')];

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);

/** Of two's complement, with the sign; the text for a power of two takes time in proportion to the length. */
function longBytes(value: bigint): Buffer {
  const length = Math.floor((value < 0n ? -value - 1n : value).toString(2).length / 8) + 1;
  if (length > 255) {
    const bits = value.toString(2).length;
    throw new AiforgeError('INVALID_ARGUMENT', `save: an integer of ${bits} bits is too large, expected at most 2039.`);
  }
  const digits = BigInt.asUintN(8 * length, value)
    .toString(16)
    .padStart(2 * length, '0');
  return Buffer.from(digits, 'hex').reverse();
}

const callOf = (name: string, args: readonly unknown[]): Call => new Call(GlobalName.of(name), args);

/** Collections and bytes, which are calls in a pickle. */
function encodeBuiltIn(value: object): Call | undefined {
  if (value instanceof Counter) return callOf('collections.Counter', [new Map(value)]);
  if (isSet(value)) {
    const keys = new Keys();
    return callOf('__builtin__.set', [[...value].map((item) => keys.add(item))]);
  }
  if (!isUint8Array(value)) return undefined;
  requireMemory(value, 'save');
  return callOf('_codecs.encode', [Buffer.from(value).toString('latin1'), 'latin1']);
}

/** A value that is being written: what is within it, of dictionaries with the keys, and how far that is written. */
class Open {
  at = 0;

  constructor(
    readonly items: readonly unknown[],
    readonly keys: readonly unknown[] | null,
    /** The operations that end it. */
    readonly end: readonly number[],
    /** What is written as another value, the only one within. */
    readonly encoded: object | null = null,
  ) {}

  get isDone(): boolean {
    return this.at === (this.keys === null ? 1 : 2) * this.items.length;
  }

  next(): unknown {
    const at = this.at++;
    if (this.keys === null) return this.items[at];
    return (at % 2 === 0 ? this.keys : this.items)[at >> 1];
  }

  /** The place of the value within that was begun last. */
  get label(): string {
    const last = this.at - 1;
    if (this.encoded !== null) return '';
    if (this.keys === null) return `[${last}]`;
    return last % 2 === 0 ? '' : `.${String(this.keys[last >> 1])}`;
  }
}

/**
 * Writes a pickle of protocol 2, as `torch.save` does. A value that occurs again is referred to, so that it is one when it is
 * read. What is nested without bound takes no call stack.
 */
export class PickleWriter {
  readonly #encode: Encode;
  readonly #out = new ByteWriter();
  readonly #open: Open[] = [];
  readonly #memo = new Map<object, number>();
  readonly #texts = new Map<string, number>();
  readonly #calls = new Set<object>();

  constructor(encode: Encode) {
    this.#encode = encode;
  }

  /** The bytes of the pickle, in pieces. */
  pickle(value: unknown): readonly Buffer[] {
    this.#out.byte(PROTOCOL);
    this.#out.byte(2);
    this.#write(value);
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) this.#continue(open);
    this.#out.byte(STOP);
    return this.#out.blocks;
  }

  /** Writes what remains of a value, up to one within that is to be written first. */
  #continue(open: Open): void {
    const depth = this.#open.length;
    while (!open.isDone) {
      this.#write(open.next());
      if (this.#open.length > depth) return;
    }
    this.#open.pop();
    for (const operation of open.end) this.#out.byte(operation);
    if (open.encoded === null) return;
    this.#calls.delete(open.encoded);
    this.#remember(open.encoded);
  }

  #write(value: unknown): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (value === null) this.#out.byte(NONE);
    else if (typeof value === 'object') this.#object(value);
    else if (typeof value === 'boolean') this.#out.byte(value ? TRUE : FALSE);
    else if (typeof value === 'bigint') this.#integer(value);
    else throw this.#refuse(value);
  }

  #number(value: number): void {
    if (isWhole(value)) this.#integer(value);
    else {
      this.#out.byte(FLOAT);
      this.#out.float64(value);
    }
  }

  #integer(value: number | bigint): void {
    const out = this.#out;
    if (value >= 0 && value < 1 << 8) {
      out.byte(INT_1);
      out.byte(Number(value));
    } else if (value >= 0 && value < 1 << 16) {
      out.byte(INT_2);
      out.uint16(Number(value));
    } else if (value >= -INT32 && value < INT32) {
      out.byte(INT_4);
      out.int32(Number(value));
    } else {
      const bytes = longBytes(BigInt(value));
      out.byte(LONG_1);
      out.byte(bytes.length);
      out.bytes(bytes);
    }
  }

  #text(text: string): void {
    const index = this.#texts.get(text);
    if (index !== undefined) {
      this.#refer(GET_1, GET_4, index);
      return;
    }
    this.#out.byte(TEXT);
    this.#out.text(text);
    if (this.#texts.size === KNOWN_TEXTS) return;
    this.#refer(PUT_1, PUT_4, this.#known);
    this.#texts.set(text, this.#known);
  }

  get #known(): number {
    return this.#memo.size + this.#texts.size;
  }

  #refer(short: number, long: number, index: number): void {
    this.#out.byte(index < 256 ? short : long);
    if (index < 256) this.#out.byte(index);
    else this.#out.uint32(index);
  }

  #remember(value: object): void {
    this.#refer(PUT_1, PUT_4, this.#known);
    this.#memo.set(value, this.#known);
  }

  #object(value: object): void {
    const index = this.#memo.get(value);
    if (index !== undefined) this.#refer(GET_1, GET_4, index);
    else if (Array.isArray(value)) this.#list(value);
    else if (isPlainObject(value)) this.#dictionary(value, entriesOf(value));
    else if (value instanceof GlobalName) this.#global(value);
    else if (value instanceof Tuple) this.#begin(value.items, null, [TUPLE]);
    else if (value instanceof Call) {
      this.#object(value.callee);
      this.#begin(value.args, null, [TUPLE, REDUCE]);
    } else if (value instanceof PersistentId) this.#begin(value.id.items, null, [TUPLE, PERSISTENT]);
    else if (isMap(value) && !(value instanceof Counter)) this.#dictionary(value, entriesOfMap(value));
    else this.#encoded(value);
  }

  #begin(items: readonly unknown[], keys: readonly unknown[] | null, end: readonly number[]): void {
    this.#out.byte(MARK);
    this.#open.push(new Open(items, keys, end));
  }

  #list(value: readonly unknown[]): void {
    this.#out.byte(EMPTY_LIST);
    this.#remember(value);
    this.#begin(value, null, [APPENDS]);
  }

  #dictionary(value: object, { keys, items }: Entries): void {
    this.#out.byte(EMPTY_DICT);
    this.#remember(value);
    this.#begin(items, keys, [SETITEMS]);
  }

  #global(value: GlobalName): void {
    this.#out.byte(GLOBAL);
    this.#out.latin1(`${value.module}\n${value.name}\n`);
    this.#remember(value);
  }

  #encoded(value: object): void {
    const encoded = encodeBuiltIn(value) ?? this.#encode(value);
    // What a call is given is written before it can be referred to.
    if (encoded === undefined || this.#calls.has(value)) throw this.#refuse(value);
    this.#calls.add(value);
    this.#open.push(new Open([encoded], null, [], value));
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

interface Entries {
  readonly keys: unknown[];
  readonly items: unknown[];
}

function entriesOfMap(map: ReadonlyMap<unknown, unknown>): Entries {
  const known = new Keys();
  return { keys: Array.from(map.keys(), (key) => known.add(key)), items: [...map.values()] };
}

// JavaScript's keys are texts. Those of an optimizer's state are numbers in Python; its values are dictionaries.
function entriesOf(value: Record<string, unknown>): Entries {
  const keys: string[] = [];
  const items: unknown[] = [];
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === undefined) continue;
    keys.push(key);
    items.push(item);
  }
  const isNumbered =
    items.length > 0 && items.every(isPlainObject) && keys.every((key) => /^(0|[1-9]\d{0,14})$/.test(key));
  return { keys: isNumbered ? keys.map(Number) : keys, items };
}
