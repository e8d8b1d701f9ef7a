import { Buffer } from 'node:buffer';
import type { ByteStream } from './byteStream.js';
import { decodeText } from './text.js';

/** A value of Python that a pickle names by module and name. */
export class Global {
  constructor(readonly name: string) {}
}

/** What a pickle needs from outside: its globals are called by the caller, who knows what each of them makes. */
export interface PickleHost {
  /** The value of a call of a global. */
  call(name: string, args: readonly unknown[]): unknown;
  /** What a persistent id stands for. */
  load(id: readonly unknown[]): unknown;
  /** Gives an object its attributes. */
  build(target: unknown, state: unknown): void;
  invalid(reason: string): Error;
}

const MARK = Symbol('mark');

// What calls are given, all in all, as a multiple of what was read: a pickle may give one list to any number of calls, each
// of which copies it.
const MOST_GIVEN = 8;
const FEW_GIVEN = 1 << 16;

function extentOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return value instanceof Map ? value.size : 1;
}

/**
 * Reads a pickle of data: dictionaries become `Map`s, lists and tuples arrays, integers numbers or, beyond 2^53, bigints.
 * Nothing is run: a global is a name that `host` knows or refuses. See Python's `pickletools` for the format.
 */
export class PickleReader {
  readonly bytes: ByteStream;
  readonly #host: PickleHost;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #given = 0;

  constructor(bytes: ByteStream, host: PickleHost) {
    this.bytes = bytes;
    this.#host = host;
  }

  read(): unknown {
    for (;;) {
      const code = this.bytes.byte();
      if (code === 0x2e) return this.pop();
      const run = operations.get(code);
      if (run === undefined) throw this.invalid(`its pickle has the unknown operation 0x${code.toString(16)}`);
      run(this);
    }
  }

  invalid(reason: string): Error {
    return this.#host.invalid(reason);
  }

  pop(): unknown {
    const top = this.#stack.pop();
    if (top === undefined || top === MARK) throw this.invalid('its pickle takes a value that is not there');
    return top;
  }

  #top<T>(isKind: (value: unknown) => value is T, kind: string): T {
    const top = this.#stack.at(-1);
    if (!isKind(top)) throw this.invalid(`its pickle expects ${kind}`);
    return top;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  mark(): void {
    this.#stack.push(MARK);
  }

  /** The values above the last mark. */
  popMark(): unknown[] {
    const start = this.#stack.lastIndexOf(MARK);
    if (start < 0) throw this.invalid('its pickle has no mark');
    const items = this.#stack.splice(start);
    items.shift();
    return items;
  }

  put(index: number): void {
    this.#memo.set(index, this.#stack.at(-1));
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    if (!this.#memo.has(index)) throw this.invalid(`its pickle has no value ${index}`);
    this.#stack.push(this.#memo.get(index));
  }

  append(items: readonly unknown[]): void {
    const list = this.#top((value): value is unknown[] => Array.isArray(value), 'a list');
    for (const item of items) list.push(item);
  }

  add(items: readonly unknown[]): void {
    const set = this.#top((value): value is Set<unknown> => value instanceof Set, 'a set');
    for (const item of items) set.add(item);
  }

  setItems(items: readonly unknown[]): void {
    const map = this.#top((value): value is Map<unknown, unknown> => value instanceof Map, 'a dictionary');
    if (items.length % 2 !== 0) throw this.invalid('its pickle has a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      // Python's keys differ, but that several may be NaN.
      if (map.has(items[i])) throw this.invalid(`a dictionary has the key ${String(items[i])} twice`);
      map.set(items[i], items[i + 1]);
    }
  }

  dictionary(items: readonly unknown[]): void {
    this.push(new Map());
    this.setItems(items);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof Global) || !Array.isArray(args)) throw this.invalid('its pickle calls what is no name');
    this.#given += args.reduce<number>((sum, arg) => sum + extentOf(arg), 1);
    if (this.#given > MOST_GIVEN * this.bytes.position + FEW_GIVEN) {
      throw this.invalid('its pickle makes far more than it holds');
    }
    this.push(this.#host.call(callee.name, args as unknown[]));
  }

  build(): void {
    const state = this.pop();
    this.#host.build(this.#stack.at(-1), state);
  }

  persistent(): void {
    const id = this.pop();
    if (!Array.isArray(id)) throw this.invalid('its pickle has a malformed reference');
    this.push(this.#host.load(id as unknown[]));
  }

  stackGlobal(): void {
    const name = this.pop();
    this.push(new Global(`${String(this.pop())}.${String(name)}`));
  }
}

const length32 = ({ bytes }: PickleReader): number => bytes.take(4).readUInt32LE(0);

function length64({ bytes }: PickleReader): number {
  return Number(bytes.take(8).readBigUInt64LE(0));
}

function text(reader: PickleReader, length: number): void {
  const decoded = decodeText(reader.bytes.take(length));
  if (decoded === undefined) throw reader.invalid('its pickle has a text that is no UTF-8');
  reader.push(decoded);
}

function binary(reader: PickleReader, length: number): void {
  reader.push(new Uint8Array(reader.bytes.take(length)));
}

// By way of its hexadecimal digits, which takes time in proportion to the length.
function long(reader: PickleReader, length: number): void {
  const digits = Buffer.from(reader.bytes.take(length)).reverse().toString('hex');
  const value = BigInt.asIntN(8 * length, BigInt(`0x0${digits}`));
  reader.push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
}

function tuple(reader: PickleReader, length: number): void {
  reader.push(Array.from({ length }, () => reader.pop()).reverse());
}

const byte = (character: string): number => character.charCodeAt(0);

const operations = new Map<number, (reader: PickleReader) => void>([
  [0x80, (reader) => void reader.bytes.byte()], // protocol
  [0x95, (reader) => void reader.bytes.take(8)], // frame
  [byte('('), (reader) => reader.mark()],
  [byte('0'), (reader) => void reader.pop()],
  [byte('1'), (reader) => void reader.popMark()],
  [byte('N'), (reader) => reader.push(null)],
  [0x88, (reader) => reader.push(true)],
  [0x89, (reader) => reader.push(false)],
  [byte('J'), (reader) => reader.push(reader.bytes.take(4).readInt32LE(0))],
  [byte('K'), (reader) => reader.push(reader.bytes.byte())],
  [byte('M'), (reader) => reader.push(reader.bytes.take(2).readUInt16LE(0))],
  [0x8a, (reader) => long(reader, reader.bytes.byte())],
  [0x8b, (reader) => long(reader, length32(reader))],
  [byte('G'), (reader) => reader.push(reader.bytes.take(8).readDoubleBE(0))],
  [byte('U'), (reader) => text(reader, reader.bytes.byte())],
  [byte('T'), (reader) => text(reader, length32(reader))],
  [byte('X'), (reader) => text(reader, length32(reader))],
  [0x8c, (reader) => text(reader, reader.bytes.byte())],
  [0x8d, (reader) => text(reader, length64(reader))],
  [byte('B'), (reader) => binary(reader, length32(reader))],
  [byte('C'), (reader) => binary(reader, reader.bytes.byte())],
  [0x8e, (reader) => binary(reader, length64(reader))],
  [byte(']'), (reader) => reader.push([])],
  [byte('l'), (reader) => reader.push(reader.popMark())],
  [byte('a'), (reader) => reader.append([reader.pop()])],
  [byte('e'), (reader) => reader.append(reader.popMark())],
  [byte(')'), (reader) => reader.push([])],
  [byte('t'), (reader) => reader.push(reader.popMark())],
  [0x85, (reader) => tuple(reader, 1)],
  [0x86, (reader) => tuple(reader, 2)],
  [0x87, (reader) => tuple(reader, 3)],
  [byte('}'), (reader) => reader.push(new Map())],
  [byte('d'), (reader) => reader.dictionary(reader.popMark())],
  [byte('s'), (reader) => reader.setItems([reader.pop(), reader.pop()].reverse())],
  [byte('u'), (reader) => reader.setItems(reader.popMark())],
  [0x8f, (reader) => reader.push(new Set())],
  [0x90, (reader) => reader.add(reader.popMark())],
  [0x91, (reader) => reader.push(new Set(reader.popMark()))],
  [byte('q'), (reader) => reader.put(reader.bytes.byte())],
  [byte('r'), (reader) => reader.put(length32(reader))],
  [0x94, (reader) => reader.memoize()],
  [byte('h'), (reader) => reader.get(reader.bytes.byte())],
  [byte('j'), (reader) => reader.get(length32(reader))],
  [byte('c'), (reader) => reader.push(new Global(`${reader.bytes.line()}.${reader.bytes.line()}`))],
  [0x93, (reader) => reader.stackGlobal()],
  [byte('R'), (reader) => reader.reduce()],
  [0x81, (reader) => reader.reduce()],
  [byte('b'), (reader) => reader.build()],
  [byte('Q'), (reader) => reader.persistent()],
]);
