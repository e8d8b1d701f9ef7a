import { Counter } from '../counter.js';
import type { OpenFile } from '../tensor/files/openFile.js';
import { Tensor } from '../tensor/tensor.js';
import { Global } from './pickleReader.js';
import type { Rebuild } from './rebuild.js';
import { Storage } from './storages.js';
import { dtypeOf } from './tensors.js';

const schemes = /^torch\.(per_(?:tensor|channel)_(?:affine|symmetric)|per_channel_affine_float_qparams)$/;

/** Whether a dictionary becomes an object: one of texts, or the state of an optimizer, by the numbers of its parameters. */
function isRecord(map: ReadonlyMap<unknown, unknown>): boolean {
  const keys = [...map.keys()];
  if (keys.every((key) => typeof key === 'string')) return true;
  return keys.every((key) => Number.isSafeInteger(key)) && [...map.values()].every((value) => value instanceof Map);
}

// Not by assignment, which a key such as __proto__ would turn into something else.
function define(target: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable, writable: true });
}

/** Whether an object has something of a name that an attribute must not hide. */
function isTaken(to: object, name: string): boolean {
  if (to instanceof Map) return name in to;
  if (!Tensor.isTensor(to)) return Object.hasOwn(to, name);
  const own = Object.getOwnPropertyDescriptor(Tensor.prototype, name);
  return own?.get !== undefined || name === 'constructor' || name in Object.prototype;
}

/**
 * Turns what a pickle holds into plain values: dictionaries into objects, where none of their keys is lost so, dtypes into
 * their names, storages into tensors. What is nested without bound takes no call stack.
 */
export class PlainValues {
  /** The attributes of all objects, which nobody finds who looks at what is in a value. */
  readonly attached: unknown[] = [];
  readonly #file: OpenFile;
  readonly #rebuild: Rebuild;
  readonly #made = new Map<object, unknown>();
  readonly #unfilled: [from: object, to: object][] = [];

  constructor(file: OpenFile, rebuild: Rebuild) {
    this.#file = file;
    this.#rebuild = rebuild;
  }

  of(value: unknown): unknown {
    const made = this.#convert(value);
    for (let next = this.#unfilled.pop(); next !== undefined; next = this.#unfilled.pop()) this.#fill(...next);
    return made;
  }

  // A container is made here and filled later.
  #convert(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (this.#made.has(value)) return this.#made.get(value);
    const made = this.#make(value);
    this.#made.set(value, made);
    this.#unfilled.push([value, made as object]);
    return made;
  }

  #make(value: object): unknown {
    if (value instanceof Global) return this.#nameOf(value);
    if (value instanceof Storage) return this.#rebuild.tensors.elements(value);
    if (Array.isArray(value)) return [];
    if (value instanceof Counter) return new Counter();
    if (value instanceof Set) return new Set();
    if (value instanceof Map) return isRecord(value) ? {} : new Map<unknown, unknown>();
    return value;
  }

  #nameOf(global: Global): string {
    const name = dtypeOf(global) ?? schemes.exec(global.name)?.[1];
    if (name === undefined) throw this.#file.unsupported(`${global.name} itself, which is no data`);
    return name;
  }

  #fill(from: object, to: object): void {
    if (Array.isArray(from)) for (const item of from) (to as unknown[]).push(this.#convert(item));
    else if (from instanceof Set) for (const item of from) this.#add(to as Set<unknown>, item);
    else if (from instanceof Map) for (const [key, item] of from) this.#set(to, key, item);
    for (const [name, value] of this.#rebuild.attributes.get(from) ?? []) this.#attach(to, name, value);
  }

  #add(set: Set<unknown>, item: unknown): void {
    const value = this.#convert(item);
    if (set.has(value)) throw this.#alike(value);
    set.add(value);
  }

  #set(to: object, key: unknown, item: unknown): void {
    const value = this.#convert(item);
    if (!(to instanceof Map)) {
      define(to, String(key), value, true);
      return;
    }
    const name = this.#convert(key);
    if (to.has(name)) throw this.#alike(name);
    to.set(name, value);
  }

  // Those of tensors are seen as Python's are, before methods of the same name; those of dictionaries, such as `_metadata` of
  // state dicts, stand apart from the entries.
  #attach(to: object, name: unknown, value: unknown): void {
    const isTensor = Tensor.isTensor(to);
    if (typeof name !== 'string' || isTaken(to, name)) {
      throw this.#file.unsupported(`an object with the attribute '${String(name)}', whose name has a meaning here`);
    }
    const made = this.#convert(value);
    this.attached.push(made);
    define(to, name, made, isTensor);
  }

  #alike(value: unknown): Error {
    return this.#file.unsupported(
      `a collection with ${String(value)} twice, such as a dtype and its name, which are one here`,
    );
  }
}
