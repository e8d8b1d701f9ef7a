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
  invalid(reason: string): Error;
}

const MARK = Symbol('mark');

/**
 * Reads a pickle of data: dictionaries become `Map`s, lists and tuples arrays, integers numbers or, beyond 2^53, bigints.
 * Nothing is run: a global is a name that `host` knows or refuses. See Python's `pickletools` for the format.
 */
export class PickleReader {
  readonly #bytes: Buffer;
  readonly #host: PickleHost;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;

  constructor(bytes: Buffer, host: PickleHost) {
    this.#bytes = bytes;
    this.#host = host;
  }

  read(): unknown {
    for (;;) {
      const code = this.take(1).readUInt8(0);
      if (code === 0x2e) return this.pop();
      const run = operations.get(code);
      if (run === undefined) throw this.#host.invalid(`its pickle has the unknown operation 0x${code.toString(16)}`);
      run(this);
    }
  }

  take(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    if (length < 0 || this.#at > this.#bytes.length) throw this.#host.invalid('its pickle is truncated');
    return this.#bytes.subarray(start, this.#at);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw this.#host.invalid('its pickle takes a value from an empty stack');
    return this.#stack.pop();
  }

  #top<T>(isKind: (value: unknown) => value is T, kind: string): T {
    const top = this.#stack.at(-1);
    if (!isKind(top)) throw this.#host.invalid(`its pickle expects ${kind}`);
    return top;
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#host.invalid('its pickle is truncated');
    const line = this.take(end - this.#at).toString('utf8');
    this.take(1);
    return line;
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
    if (start < 0) throw this.#host.invalid('its pickle has no mark');
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
    if (!this.#memo.has(index)) throw this.#host.invalid(`its pickle has no value ${index}`);
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
    for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  dictionary(items: readonly unknown[]): void {
    this.push(new Map());
    this.setItems(items);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof Global) || !Array.isArray(args))
      throw this.#host.invalid('its pickle calls what is no name');
    this.#stack.push(this.#host.call(callee.name, args as unknown[]));
  }

  /** Attributes of a dictionary, such as `_metadata` of state dicts, are left out. */
  build(): void {
    this.pop();
    this.#top((value): value is Map<unknown, unknown> => value instanceof Map, 'a dictionary');
  }

  persistent(): void {
    const id = this.pop();
    if (!Array.isArray(id)) throw this.#host.invalid('its pickle has a malformed reference');
    this.#stack.push(this.#host.load(id as unknown[]));
  }

  stackGlobal(): void {
    const name = this.pop();
    this.push(new Global(`${String(this.pop())}.${String(name)}`));
  }
}

const length32 = (reader: PickleReader): number => reader.take(4).readUInt32LE(0);
const length64 = (reader: PickleReader): number => Number(reader.take(8).readBigUInt64LE(0));
const text = (reader: PickleReader, length: number): void => reader.push(reader.take(length).toString('utf8'));

function binary(reader: PickleReader, length: number): void {
  reader.push(new Uint8Array(reader.take(length)));
}

function long(reader: PickleReader, length: number): void {
  const bytes = reader.take(length);
  let value = 0n;
  for (let i = length - 1; i >= 0; --i) value = (value << 8n) | BigInt(bytes[i]!);
  const signed = BigInt.asIntN(8 * length, value);
  reader.push(Number.isSafeInteger(Number(signed)) ? Number(signed) : signed);
}

function tuple(reader: PickleReader, length: number): void {
  reader.push(Array.from({ length }, () => reader.pop()).reverse());
}

const byte = (character: string): number => character.charCodeAt(0);

const operations = new Map<number, (reader: PickleReader) => void>([
  [0x80, (reader) => void reader.take(1)], // protocol
  [0x95, (reader) => void reader.take(8)], // frame
  [byte('('), (reader) => reader.mark()],
  [byte('0'), (reader) => void reader.pop()],
  [byte('1'), (reader) => void reader.popMark()],
  [byte('N'), (reader) => reader.push(null)],
  [0x88, (reader) => reader.push(true)],
  [0x89, (reader) => reader.push(false)],
  [byte('J'), (reader) => reader.push(reader.take(4).readInt32LE(0))],
  [byte('K'), (reader) => reader.push(reader.take(1).readUInt8(0))],
  [byte('M'), (reader) => reader.push(reader.take(2).readUInt16LE(0))],
  [0x8a, (reader) => long(reader, reader.take(1).readUInt8(0))],
  [0x8b, (reader) => long(reader, length32(reader))],
  [byte('G'), (reader) => reader.push(reader.take(8).readDoubleBE(0))],
  [byte('X'), (reader) => text(reader, length32(reader))],
  [0x8c, (reader) => text(reader, reader.take(1).readUInt8(0))],
  [0x8d, (reader) => text(reader, length64(reader))],
  [byte('B'), (reader) => binary(reader, length32(reader))],
  [byte('C'), (reader) => binary(reader, reader.take(1).readUInt8(0))],
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
  [byte('q'), (reader) => reader.put(reader.take(1).readUInt8(0))],
  [byte('r'), (reader) => reader.put(length32(reader))],
  [0x94, (reader) => reader.memoize()],
  [byte('h'), (reader) => reader.get(reader.take(1).readUInt8(0))],
  [byte('j'), (reader) => reader.get(length32(reader))],
  [byte('c'), (reader) => reader.push(new Global(`${reader.line()}.${reader.line()}`))],
  [0x93, (reader) => reader.stackGlobal()],
  [byte('R'), (reader) => reader.reduce()],
  [0x81, (reader) => reader.reduce()],
  [byte('b'), (reader) => reader.build()],
  [byte('Q'), (reader) => reader.persistent()],
]);
