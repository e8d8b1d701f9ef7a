import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { native } from '../native.js';
import { tensorsOf } from '../tensor/scope.js';
import { handlesOf, Tensor } from '../tensor/tensor.js';
import type { BufferOptions } from './buffer.js';
import { deepCopy } from './deepCopy.js';
import { copyStateDict, type LoadStateDictOptions, type LoadStateDictResult, type StateDict } from './loadStateDict.js';
import { conversion, convertTensors, readModuleTarget, type ModuleTarget } from './movement.js';
import type { Parameter } from './parameter.js';
import { formatModule } from './printing.js';
import { defineBuffer, members, propertiesOf, registry, Registry, type Member } from './registry.js';
import {
  buffersOf,
  namedTensors,
  parametersOf,
  stateEntries,
  submodulesOf,
  walk,
  type NamedModulesOptions,
  type NamedOptions,
} from './traversal.js';

/**
 * The base of every layer and model. A `Parameter`, a `Buffer` or a `Module` assigned to a property belongs to the
 * module. Their order is that of the properties, which for
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

  /** @internal */
  readonly [registry] = new Registry();

  /** Computes the output. */
  abstract forward(...args: never[]): unknown;

  /** @internal */
  *[members](): Generator<Member> {
    yield* propertiesOf(this);
  }

  /**
   * Makes `this[property]` a tensor that moves and is saved with the module but is not learnt. What is assigned to the
   * property later is a buffer as well. Null stands for a buffer that is not there yet.
   *
   * @throws AiforgeError INVALID_ARGUMENT when the name is taken or has a dot.
   */
  registerBuffer(property: string, tensor: Tensor | null, { persistent = true }: BufferOptions = {}): void {
    const taken =
      property in this && !this[registry].buffers.has(property) && Reflect.get(this, property) !== undefined;
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
    defineBuffer(this, property, tensor, persistent);
  }

  /** Every submodule under its name, this one first with the name `''`; a shared one once. */
  *namedModules({ prefix = '', removeDuplicate = true }: NamedModulesOptions = {}): Generator<[string, Module]> {
    yield* walk(this, prefix, removeDuplicate ? new Set() : undefined);
  }

  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  *namedChildren(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, module] of submodulesOf(this)) {
      if (seen.has(module)) continue;
      seen.add(module);
      yield [name, module];
    }
  }

  *children(): Generator<Module> {
    for (const [, module] of this.namedChildren()) yield module;
  }

  *namedParameters(options: NamedOptions = {}): Generator<[string, Parameter]> {
    yield* namedTensors(this, parametersOf, options);
  }

  *parameters(options: Pick<NamedOptions, 'recurse'> = {}): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters(options)) yield parameter;
  }

  *namedBuffers(options: NamedOptions = {}): Generator<[string, Tensor]> {
    yield* namedTensors(this, buffersOf, options);
  }

  *buffers(options: Pick<NamedOptions, 'recurse'> = {}): Generator<Tensor> {
    for (const [, buffer] of this.namedBuffers(options)) yield buffer;
  }

  /** Parameters and persistent buffers under PyTorch's keys, as detached tensors that share the module's memory. */
  stateDict(): StateDict {
    return Object.fromEntries(Array.from(stateEntries(this, ''), ([key, tensor]) => [key, tensor.detach()]));
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
    return copyStateDict(this.constructor.name, new Map(stateEntries(this, '')), stateDict, options);
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

  /**
   * Moves parameters, their gradients and buffers to a device, turns the floating-point ones to a dtype, or changes the
   * order in memory of those of four and five dimensions. In place. As `torch.nn.Module.to`.
   *
   * @throws AiforgeError INVALID_ARGUMENT for a dtype of integers.
   * @example
   * import { nn } from 'aiforge';
   * new nn.Linear(2, 1).to('float64').weight.dtype; // 'float64'
   */
  to(...target: ModuleTarget): this {
    convertTensors(this, conversion(readModuleTarget(target)));
    return this;
  }

  /** Turns the floating-point parameters and buffers to `float16`. */
  half(): this {
    return this.to('float16');
  }

  bfloat16(): this {
    return this.to('bfloat16');
  }

  float(): this {
    return this.to('float32');
  }

  double(): this {
    return this.to('float64');
  }

  cpu(): this {
    return this.to('cpu');
  }

  cuda(index = 0): this {
    return this.to(`cuda:${index}`);
  }

  /**
   * A module of its own with copies of the parameters, buffers and other properties of this one. As Python's
   * `copy.deepcopy(module)`. A class with `#private` fields cannot be copied: declare them `private`.
   */
  deepCopy(): this {
    return deepCopy(this);
  }

  /** What a printed module shows between its brackets, as PyTorch does. */
  extraRepr(): string {
    return '';
  }

  /** The lines that a printed module shows for its submodules. */
  protected childLines(): string[] {
    return Array.from(submodulesOf(this), ([name, module]) => `(${name}): ${module.toString()}`);
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
