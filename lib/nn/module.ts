import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { native } from '../native.js';
import { noGrad } from '../autograd/modes.js';
import { isDType, type Device, type DType } from '../tensor/dtype.js';
import { keep, scope, tensorsOf } from '../tensor/scope.js';
import { handlesOf, Tensor } from '../tensor/tensor.js';
import { copyStateDict, type LoadStateDictOptions, type LoadStateDictResult, type StateDict } from './loadStateDict.js';
import { joinNames, stateDictName } from './moduleNames.js';
import { Parameter } from './parameter.js';
import { formatModule } from './printing.js';

export interface BufferOptions {
  /** Whether the state dict has it. Default: true. */
  persistent?: boolean;
}

export interface NamedOptions {
  /** Begins every name. Default: none. */
  prefix?: string;
  /** Whether submodules are walked too. Default: true. */
  recurse?: boolean;
  /** Whether a shared tensor comes once only, under its first name. Default: true. */
  removeDuplicate?: boolean;
}

export type NamedModulesOptions = Pick<NamedOptions, 'prefix' | 'removeDuplicate'>;

interface Buffer {
  tensor: Tensor | null;
  readonly persistent: boolean;
}

const isFloating = (tensor: Tensor): boolean => /^(float|bfloat|complex)/.test(tensor.dtype);

/**
 * The base of every layer and model. A `Parameter` or a `Module` assigned to a property belongs to the module; other
 * tensors that it should carry are registered with `registerBuffer`. Their order is that of the properties, which for
 * class fields is the order of their declaration. Names are PyTorch's: `this.selfAttn.inProjWeight` is
 * `self_attn.in_proj_weight`.
 *
 * @example
 * import { nn, type Tensor } from 'aiforge';
 * class Model extends nn.Module {
 *   hidden = new nn.Linear(4, 8);
 *   output = new nn.Linear(8, 2);
 *   forward(x: Tensor) {
 *     return this.output.forward(this.hidden.forward(x).relu());
 *   }
 * }
 * Object.keys(new Model().stateDict()); // ['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']
 */
export abstract class Module {
  /** Whether dropout and its like are active. Set it with `train()` and `eval()`. */
  training = true;

  readonly #buffers = new Map<string, Buffer>();

  /** Computes the output. */
  abstract forward(...args: never[]): unknown;

  /** The modules that are properties of this one, a shared one as often as it occurs. */
  protected *submodules(): Generator<[name: string, module: Module]> {
    for (const [property, value] of Object.entries(this)) {
      if (value instanceof Module) yield [stateDictName(property), value];
    }
  }

  *#ownParameters(): Generator<[string, Parameter]> {
    for (const [property, value] of Object.entries(this)) {
      if (value instanceof Parameter && !this.#buffers.has(property)) yield [stateDictName(property), value];
    }
  }

  *#ownBuffers(): Generator<[string, Tensor]> {
    for (const [property, { tensor }] of this.#buffers) {
      if (tensor !== null) yield [stateDictName(property), tensor];
    }
  }

  /**
   * Makes `this[property]` a tensor that moves and is saved with the module but is not learnt. What is assigned to the
   * property later is a buffer as well. Null stands for a buffer that is not there yet.
   *
   * @throws AiforgeError INVALID_ARGUMENT when the name is taken or has a dot.
   */
  registerBuffer(property: string, tensor: Tensor | null, { persistent = true }: BufferOptions = {}): void {
    const taken = property in this && !this.#buffers.has(property) && Reflect.get(this, property) !== undefined;
    if (property === '' || property.includes('.') || taken) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `registerBuffer('${property}'): expected the name of a property without dots that ${this.constructor.name} does not have yet.`,
      );
    }
    if (tensor !== null && !Tensor.isTensor(tensor)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `registerBuffer('${property}'): expected a Tensor or null, got ${inspect(tensor, { depth: 0 })}.`,
      );
    }
    const buffer: Buffer = { tensor: tensor === null ? null : keep(tensor), persistent };
    this.#buffers.set(property, buffer);
    Object.defineProperty(this, property, {
      configurable: true,
      enumerable: true,
      get: () => buffer.tensor,
      set: (value: Tensor | null) => {
        buffer.tensor = value === null ? null : keep(value);
      },
    });
  }

  /** Every submodule under its name, this one first with the name `''`; a shared one once. */
  *namedModules({ prefix = '', removeDuplicate = true }: NamedModulesOptions = {}): Generator<[string, Module]> {
    yield* this.#walk(prefix, removeDuplicate ? new Set() : undefined);
  }

  *#walk(prefix: string, seen: Set<Module> | undefined): Generator<[string, Module]> {
    if (seen?.has(this) === true) return;
    seen?.add(this);
    yield [prefix, this];
    for (const [name, module] of this.submodules()) yield* module.#walk(joinNames(prefix, name), seen);
  }

  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  *namedChildren(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, module] of this.submodules()) {
      if (seen.has(module)) continue;
      seen.add(module);
      yield [name, module];
    }
  }

  *children(): Generator<Module> {
    for (const [, module] of this.namedChildren()) yield module;
  }

  *#named<T extends Tensor>(
    own: (module: Module) => Iterable<[string, T]>,
    { prefix = '', recurse = true, removeDuplicate = true }: NamedOptions,
  ): Generator<[string, T]> {
    const seen = new Set<T>();
    const modules = recurse ? this.namedModules({ prefix, removeDuplicate }) : [[prefix, this] as const];
    for (const [path, module] of modules) {
      for (const [name, tensor] of own(module)) {
        if (removeDuplicate && seen.has(tensor)) continue;
        seen.add(tensor);
        yield [joinNames(path, name), tensor];
      }
    }
  }

  *namedParameters(options: NamedOptions = {}): Generator<[string, Parameter]> {
    yield* this.#named((module) => module.#ownParameters(), options);
  }

  *parameters(options: Pick<NamedOptions, 'recurse'> = {}): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters(options)) yield parameter;
  }

  *namedBuffers(options: NamedOptions = {}): Generator<[string, Tensor]> {
    yield* this.#named((module) => module.#ownBuffers(), options);
  }

  *buffers(options: Pick<NamedOptions, 'recurse'> = {}): Generator<Tensor> {
    for (const [, buffer] of this.namedBuffers(options)) yield buffer;
  }

  *#stateEntries(prefix: string): Generator<[string, Tensor]> {
    for (const [name, parameter] of this.#ownParameters()) yield [joinNames(prefix, name), parameter];
    for (const [property, { tensor, persistent }] of this.#buffers) {
      if (persistent && tensor !== null) yield [joinNames(prefix, stateDictName(property)), tensor];
    }
    for (const [name, module] of this.submodules()) yield* module.#stateEntries(joinNames(prefix, name));
  }

  /** Parameters and persistent buffers under PyTorch's keys, as detached tensors that share the module's memory. */
  stateDict(): StateDict {
    return Object.fromEntries(Array.from(this.#stateEntries(''), ([key, tensor]) => [key, tensor.detach()]));
  }

  /**
   * Copies the tensors of a state dict into this module's; converts their dtype and device where they differ.
   *
   * @throws AiforgeError STATE_DICT_MISMATCH that lists every missing, unexpected and misshapen entry; nothing is copied.
   */
  loadStateDict(
    stateDict: Readonly<StateDict> | ReadonlyMap<string, Tensor>,
    options: LoadStateDictOptions = {},
  ): LoadStateDictResult {
    return copyStateDict(this.constructor.name, new Map(this.#stateEntries('')), stateDict, options);
  }

  /** Calls `fn` with every submodule, children first, then with this module. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  /** Drops the gradients of all parameters, or with `setToNone: false` fills them with zeros. */
  zeroGrad({ setToNone = true }: { setToNone?: boolean } = {}): void {
    native.zeroGradients(handlesOf([...this.parameters()]), setToNone);
  }

  /** Moves parameters, their gradients and buffers to a device, or turns the floating-point ones to a dtype. In place. */
  to(target: Device | DType): this {
    const convert = (tensor: Tensor): Tensor => (isDType(target) && !isFloating(tensor) ? tensor : tensor.to(target));
    if (isDType(target) && !/^(float|bfloat|complex)/.test(target)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `to('${target}'): a module's dtype must be a floating-point or complex one.`,
      );
    }
    scope(() =>
      noGrad(() => {
        for (const parameter of this.parameters()) {
          const { grad } = parameter;
          parameter.setData(convert(parameter));
          if (grad !== null) parameter.grad = convert(grad);
        }
        for (const module of this.modules()) {
          for (const buffer of module.#buffers.values()) {
            if (buffer.tensor !== null) buffer.tensor = keep(convert(buffer.tensor));
          }
        }
      }),
    );
    return this;
  }

  /** What a printed module shows between its brackets, as PyTorch does. */
  extraRepr(): string {
    return '';
  }

  /** The lines that a printed module shows for its submodules. */
  protected childLines(): string[] {
    return Array.from(this.submodules(), ([name, module]) => `(${name}): ${module.toString()}`);
  }

  /** The module and its submodules as PyTorch prints them. */
  toString(): string {
    return formatModule(this.constructor.name, this.extraRepr(), this.childLines());
  }

  [inspect.custom](): string {
    return this.toString();
  }

  /** Lets a module leave a `scope` whole. */
  *[tensorsOf](): Generator<Tensor> {
    for (const module of this.modules()) {
      for (const value of Object.values(module)) if (Tensor.isTensor(value)) yield value;
    }
  }
}
