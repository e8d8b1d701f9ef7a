import { inspect } from 'node:util';

import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { collapseRepeated } from '../printing.js';
import { members, type Member } from '../registry.js';

/** A module that makes one tensor of one tensor. */
export interface Layer extends Module {
  forward(input: Tensor): Tensor;
}

function checkModule<T extends Module>(module: T): T {
  if (module instanceof Module) return module;
  throw new AiforgeError('INVALID_ARGUMENT', `Expected a Module, got ${inspect(module, { depth: 0 })}.`);
}

abstract class Indexed<T extends Module> extends Module implements Iterable<T> {
  private readonly items: T[];

  constructor(items: Iterable<T>) {
    super();
    this.items = Array.from(items, checkModule);
  }

  get length(): number {
    return this.items.length;
  }

  /** The module at an index; a negative one counts from the end. */
  at(index: number): T {
    const item = this.items.at(index);
    if (item !== undefined) return item;
    throw new AiforgeError('INVALID_ARGUMENT', `at(${index}): ${this.constructor.name} has ${this.length} modules.`);
  }

  append(module: T): this {
    this.items.push(checkModule(module));
    return this;
  }

  extend(modules: Iterable<T>): this {
    for (const module of [...modules]) this.append(module);
    return this;
  }

  /** Puts a module before the one at `index`; later ones move up, and so do their names. */
  insert(index: number, module: T): this {
    if (index < -this.length || index > this.length) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `insert(${index}): ${this.constructor.name} has ${this.length} modules.`,
      );
    }
    this.items.splice(index, 0, checkModule(module));
    return this;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.items.values();
  }

  override *[members](): Generator<Member> {
    for (const [i, value] of this.items.entries()) yield { name: String(i), property: String(i), value };
    yield* super[members]();
  }
}

/**
 * Layers one after the other; their names are their numbers.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * model.forward(randn([3, 4])).shape; // [3, 2]
 */
export class Sequential extends Indexed<Layer> {
  constructor(...layers: Layer[]) {
    super(layers);
  }

  override forward(input: Tensor): Tensor {
    let output = input;
    for (const layer of this) output = layer.forward(output);
    return output;
  }
}

/** A list of modules that belong to the module which holds it; it computes nothing itself. */
export class ModuleList<T extends Module = Layer> extends Indexed<T> {
  constructor(modules: Iterable<T> = []) {
    super(modules);
  }

  override forward(): never {
    throw new AiforgeError('INVALID_ARGUMENT', 'A ModuleList has no forward of its own: call its modules.');
  }

  protected override childLines(): string[] {
    return collapseRepeated(Array.from(this, String));
  }
}
