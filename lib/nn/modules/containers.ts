import { AiforgeError } from '../../errors.js';
import { anything, iterable, kind, optional, whole } from '../../kinds.js';
import { show } from '../../show.js';
import { signature, isOptions } from '../../signature.js';
import { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { collapseRepeated } from '../printing/printing.js';
import { findMember, members, setMember, type Member } from '../members/registry.js';
import { refuseSurplus } from '../checks.js';

/** A module that makes one tensor of one tensor. */
export interface Layer extends Module {
  forward(input: Tensor): Tensor;
}

/** Values under names: an object, a map, or pairs. */
export type Named<T> = Readonly<Record<string, T>> | Iterable<readonly [name: string, value: T]>;

/** What may be pairs of names and values. */
export const namedKind = kind<Named<unknown>>(
  'an object, a map, or pairs of a name and a value',
  (value) => isOptions(value) || (iterable('').accepts(value) && !Tensor.isTensor(value) && !(value instanceof Module)),
);

const isPair = (value: unknown): boolean => Array.isArray(value) && value.length === 2;

export function* entriesOf<T>(container: object, named: Named<T>): Generator<readonly [name: string, value: T]> {
  if (!(Symbol.iterator in named)) {
    yield* Object.entries(named);
    return;
  }
  for (const pair of named as Iterable<readonly [string, T]>) {
    if (!isPair(pair))
      refuse(`${container.constructor.name}: expected a pair of a name and a value, got ${show(pair)}.`);
    yield pair;
  }
}

const isLayers = (value: unknown): boolean => Array.isArray(value) && value.some((item) => item instanceof Module);

export function refuse(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', problem);
}

export function checkModule<T extends Module>(module: T): T {
  return module instanceof Module ? module : refuse(`Expected a Module, got ${show(module)}.`);
}

export function checkKey(container: object, key: string): string {
  if (typeof key === 'string' && key !== '' && !key.includes('.')) return key;
  return refuse(`${container.constructor.name}: expected a key without dots, got ${show(key)}.`);
}

const indexTakes = signature({ index: whole });
const indexedTakes = signature({ index: whole, value: optional(anything) });
const popTakes = signature({ index: optional(whole) });
const valueTakes = signature({ value: optional(anything) });
const valuesTakes = signature({ values: iterable('an array') });
export const sliceTakes = signature({ start: optional(whole), end: optional(whole) });

/** A module whose members are entries of a map, under the names that they have there, beside those that are properties. */
export abstract class Entries<T> extends Module {
  /** @internal */
  protected entries = new Map<string, T>();

  get length(): number {
    return this.entries.size;
  }

  /** @internal What may be put into the container, as it is kept there. */
  protected abstract admit(value: T): T;

  override forward(..._args: never[]): unknown {
    return refuse(`A ${this.constructor.name} has no forward of its own: use what is in it.`);
  }

  override [members](): Member[] {
    const own: Member[] = Array.from(this.entries, ([name, value]) => ({ name, property: name, value }));
    return own.concat(super[members]().filter(({ property }) => property !== 'entries'));
  }

  override [findMember](name: string): Member | undefined {
    if (this.entries.has(name)) return { name, property: name, value: this.entries.get(name) };
    return name === 'entries' ? undefined : super[findMember](name);
  }

  override [setMember](property: string, value: unknown): void {
    if (!this.entries.has(property)) super[setMember](property, value);
    else if (value === undefined) this.entries.delete(property);
    else this.entries.set(property, value as T);
  }
}

/** A container whose entries are numbered. */
export abstract class List<T> extends Entries<T> implements Iterable<T> {
  /** @internal Whether entries may have other names than their numbers. */
  protected isNamed = false;

  /** @internal The number of an entry counted from the start. */
  protected index(call: string, index: number, length = this.length): number {
    if (Number.isInteger(index) && index >= -length && index < length) return index < 0 ? index + length : index;
    return refuse(`${call}(${index}): ${this.constructor.name} has ${this.length} entries.`);
  }

  /** @internal The name of an entry by its number. */
  protected keyAt(index: number): string {
    return this.isNamed ? [...this.entries.keys()][index]! : String(index);
  }

  /** @internal */
  protected renumber(values: Iterable<T>): void {
    this.entries = new Map(Array.from(values, (value, i) => [String(i), value]));
    this.isNamed = false;
  }

  /** The entry at an index; a negative one counts from the end. */
  at(index: number): T {
    indexTakes.check('at', arguments);
    return this.entries.get(this.keyAt(this.index('at', index)))!;
  }

  /** Puts another entry in the place of the one at an index. */
  set(index: number, value: T): this {
    indexedTakes.check('set', arguments);
    this.entries.set(this.keyAt(this.index('set', index)), this.admit(value));
    return this;
  }

  append(value: T): this {
    valueTakes.check('append', arguments);
    this.entries.set(String(this.length), this.admit(value));
    return this;
  }

  extend(values: Iterable<T>): this {
    valuesTakes.check('extend', arguments);
    for (const value of [...values]) this.append(value);
    return this;
  }

  /** Puts an entry before the one at `index`; later ones move up, and so do their names. */
  insert(index: number, value: T): this {
    indexedTakes.check('insert', arguments);
    const { length } = this;
    const at = index === length ? length : this.index('insert', index);
    if ([...this.entries.keys()].some((key, i) => key !== String(i))) {
      return refuse(`insert(${index}): the entries of this ${this.constructor.name} have names; append works.`);
    }
    const values = [...this];
    values.splice(at, 0, this.admit(value));
    this.renumber(values);
    return this;
  }

  /** Takes the entry at an index away; those that are left are numbered anew. */
  delete(index: number): void {
    indexTakes.check('delete', arguments);
    const at = this.index('delete', index);
    this.renumber([...this].filter((_, i) => i !== at));
  }

  /** Takes the entry at an index, the last one unless told, away and gives it back. */
  pop(index = -1): T {
    popTakes.check('pop', arguments);
    const value = this.at(index);
    this.delete(index);
    return value;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.entries.values();
  }
}

/**
 * Layers one after the other. Their names are their numbers, or those of an object; from [N, …] as the first layer takes
 * it to what the last one gives. As `torch.nn.Sequential`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * model.forward(randn([3, 4])).shape; // [3, 2]
 * const named = new nn.Sequential({ hidden: new nn.Linear(4, 8), act: new nn.Tanh() });
 * Object.keys(named.stateDict()); // ['hidden.weight', 'hidden.bias']
 */
export class Sequential extends List<Layer> {
  constructor(...layers: Layer[]);
  constructor(named: Named<Layer>);
  constructor(...args: Layer[] | [Named<Layer>]) {
    super();
    const [first] = args;
    if (isLayers(first)) refuse(`${new.target.name} takes the layers one by one: ${new.target.name}(...layers).`);
    if (args.length === 1 && namedKind.accepts(first)) {
      this.isNamed = true;
      for (const [key, layer] of entriesOf(this, first as Named<Layer>)) {
        this.entries.set(checkKey(this, key), this.admit(layer));
      }
    } else {
      this.extend(args as Layer[]);
    }
  }

  protected override admit(layer: Layer): Layer {
    return checkModule(layer);
  }

  /** The layers from `start` up to `end`, under the names that they have here; indices count as those of an array. */
  slice(start?: number, end?: number): Sequential {
    sliceTakes.check('slice', arguments);
    return new Sequential(new Map([...this.entries].slice(start, end)));
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    let output = input;
    for (const layer of this.entries.values()) output = layer.forward(output);
    return output;
  }
}

const moduleListTakes = signature({ modules: optional(iterable('an array of modules')) });

/**
 * A list of modules that belong to the module which holds it; it computes nothing itself. As `torch.nn.ModuleList`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const blocks = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
 * let x = ones([1, 2]);
 * for (const block of blocks) x = block.forward(x);
 * String(blocks.slice(1)); // 'ModuleList(\n  (0): Linear(in_features=2, out_features=2, bias=True)\n)'
 */
export class ModuleList<T extends Module = Layer> extends List<T> {
  constructor(modules: Iterable<T> = []) {
    super();
    moduleListTakes.check(new.target.name, arguments);
    this.extend(modules);
  }

  protected override admit(module: T): T {
    return checkModule(module);
  }

  /** A list of the modules from `start` up to `end`, numbered anew; indices count as those of an array. */
  slice(start?: number, end?: number): ModuleList<T> {
    sliceTakes.check('slice', arguments);
    return new ModuleList([...this].slice(start, end));
  }

  protected override childLines(): string[] {
    return collapseRepeated(Array.from(this, String));
  }
}
