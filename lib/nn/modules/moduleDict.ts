import { anything, either, kind, optional, string } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';
import type { Module } from '../module.js';
import { checkKey, checkModule, Entries, entriesOf, namedKind, refuse, type Layer, type Named } from './containers.js';

const moduleDictTakes = signature({ modules: optional(namedKind) });
const updateTakes = signature({
  modules: either(
    namedKind,
    kind('a ModuleDict', (value) => value instanceof ModuleDict),
  ),
});
const keyTakes = signature({ key: string });
const setTakes = signature({ key: string, module: optional(anything) });

/**
 * Modules under names, which stay as they are in state dicts, in the order in which they came. As `torch.nn.ModuleDict`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const acts = new nn.ModuleDict({ relu: new nn.ReLU(), tanh: new nn.Tanh() });
 * acts.at('relu').forward(ones([2])).tolist(); // [1, 1]
 * [...acts.keys()]; // ['relu', 'tanh']
 */
export class ModuleDict<T extends Record<string, Module> = Record<string, Layer>>
  extends Entries<T[keyof T & string]>
  implements Iterable<keyof T & string>
{
  constructor(modules: T | Iterable<readonly [keyof T & string, T[keyof T & string]]> = []) {
    super();
    moduleDictTakes.check(new.target.name, arguments);
    this.update(modules as Named<T[keyof T & string]>);
  }

  protected override admit(module: T[keyof T & string]): T[keyof T & string] {
    return checkModule(module);
  }

  /** The module under a key. */
  at<K extends keyof T & string>(key: K): T[K] {
    keyTakes.check('at', arguments);
    return (this.entries.get(key) as T[K] | undefined) ?? refuse(`at('${key}'): the ModuleDict has no such key.`);
  }

  set<K extends keyof T & string>(key: K, module: T[K]): this {
    setTakes.check('set', arguments);
    this.entries.set(checkKey(this, key), this.admit(module));
    return this;
  }

  has(key: string): boolean {
    keyTakes.check('has', arguments);
    return this.entries.has(key);
  }

  /** Takes the module under a key away; whether there was one. */
  delete(key: keyof T & string): boolean {
    keyTakes.check('delete', arguments);
    return this.entries.delete(key);
  }

  /** Takes the module under a key away and gives it back. */
  pop<K extends keyof T & string>(key: K): T[K] {
    keyTakes.check('pop', arguments);
    const module = this.at(key);
    this.delete(key);
    return module;
  }

  clear(): void {
    nothing.check('clear', arguments);
    this.entries.clear();
  }

  /** Adds modules under their keys, in the place of those that are there. */
  update(modules: Named<T[keyof T & string]> | ModuleDict<T>): this {
    updateTakes.check('update', arguments);
    const pairs = modules instanceof ModuleDict ? modules.items() : entriesOf(this, modules);
    for (const [key, module] of pairs) this.set(key, module);
    return this;
  }

  keys(): IterableIterator<keyof T & string> {
    nothing.check('keys', arguments);
    return this.entries.keys() as IterableIterator<keyof T & string>;
  }

  values(): IterableIterator<T[keyof T & string]> {
    nothing.check('values', arguments);
    return this.entries.values();
  }

  items(): IterableIterator<[keyof T & string, T[keyof T & string]]> {
    nothing.check('items', arguments);
    return this.entries.entries() as IterableIterator<[keyof T & string, T[keyof T & string]]>;
  }

  /** The keys, as iterating over Python's does. */
  [Symbol.iterator](): IterableIterator<keyof T & string> {
    return this.keys();
  }
}
