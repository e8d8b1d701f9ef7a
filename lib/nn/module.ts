import { brand } from '../brand.js';
import { inspect } from 'node:util';

import { anything, boolean, func, optional, size, string } from '../kinds.js';
import { shown } from '../show.js';
import { nothing, signature } from '../signature.js';
import { native } from '../native.js';
import type { Device, DType } from '../tensor/dtype.js';
import { emptyLike } from '../tensor/generated/functions.js';
import { tensorsOf } from '../tensor/memory/scope.js';
import { handlesOf, Tensor } from '../tensor/tensor.js';
import { bufferOptions, type BufferOptions } from './buffer.js';
import { deepCopy } from './state/deepCopy.js';
import { noteClass, refuseHidden } from './members/hiddenMembers.js';
import {
  addParameter,
  addSubmodule,
  checkNewProperty,
  checkTensor,
  getBuffer,
  getParameter,
  getSubmodule,
  setSubmodule,
} from './members/memberAccess.js';
import { ModuleStateMethods } from './state/moduleState.js';
import { conversion, convertTensors, floatingTo, readModuleTarget, type ModuleTarget } from './movement.js';
import type { Parameter } from './parameter.js';
import { formatModule } from './printing/printing.js';
import {
  converted,
  defineBuffer,
  findMember,
  members,
  propertiesOf,
  propertyOf,
  Registry,
  registry,
  setMember,
  setProperty,
  type Member,
} from './members/registry.js';
import {
  buffersOf,
  namedModulesOf,
  namedTensors,
  parametersOf,
  submodulesOf,
  childrenOf,
  namedOptions,
  type NamedModulesOptions,
  type NamedOptions,
} from './members/traversal.js';
import { deviceKind, dtypeKind } from '../tensor/kinds.js';

const toEmptyTakes = signature<{ device: Device; recurse?: boolean }>({}, { device: deviceKind, recurse: boolean }, [
  'device',
]);

const applyTakes = signature({ fn: func() });
const trainTakes = signature({ mode: optional(boolean) });
const zeroGradTakes = signature<{ setToNone?: boolean }>({}, { setToNone: boolean });

const recurseTakes = signature<Pick<NamedOptions, 'recurse'>>({}, { recurse: boolean });

const namedTakes = signature({}, namedOptions);

const namedModulesTakes = signature<NamedModulesOptions>({}, { prefix: string, removeDuplicate: boolean });

const targetTakes = signature({ target: string });

const registerParameterTakes = signature({ property: string, parameter: anything });

const registerModuleTakes = signature({ property: string, module: anything });

const requiresGradTakes = signature({ requiresGrad: optional(boolean) });

const typeTakes = signature({ dtype: dtypeKind });

const cudaTakes = signature({ index: optional(size) });

const setSubmoduleTakes = signature<{ strict?: boolean }>({ target: string, module: anything }, { strict: boolean });

const registerBufferTakes = signature({ property: string, tensor: anything }, bufferOptions);

const secondOf = <T>(pairs: readonly (readonly [unknown, T])[]): IterableIterator<T> =>
  pairs.map(([, second]) => second).values();

/**
 * The base of every layer and model. A `Parameter`, a `Buffer` or a `Module` assigned to a property belongs to the
 * module. Their order is that of the properties, which for class fields is the order of their declaration. Names are
 * PyTorch's: `this.selfAttn.inProjWeight` is `self_attn.in_proj_weight`.
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
export abstract class Module extends ModuleStateMethods {
  /** Whether dropout and its like are active. Set it with `train()` and `eval()`. */
  training = true;

  /** @internal */
  readonly [registry] = new Registry();

  constructor() {
    super();
    // What a class without a constructor of its own is given arrives here.
    if (arguments.length > 0) nothing.check(new.target.name, arguments);
    noteClass(new.target);
  }

  /** Computes the output. */
  abstract forward(...args: never[]): unknown;

  /** @internal */
  [members](): Member[] {
    return propertiesOf(this);
  }

  /** @internal */
  [findMember](name: string): Member | undefined {
    return propertyOf(this, name);
  }

  /** @internal */
  [setMember](property: string, value: unknown): void {
    setProperty(this, property, value);
  }

  /** @internal */
  [converted](): void {
    // Most layers have no order among their tensors.
  }

  /**
   * Makes `this[property]` a tensor that moves and is saved with the module but is not learnt. What is assigned to the
   * property later is a buffer as well. Null stands for a buffer that is not there yet.
   *
   * @throws AiforgeError INVALID_ARGUMENT when the name is taken or has a dot.
   */
  registerBuffer(property: string, tensor: Tensor | null, options: BufferOptions = {}): void {
    registerBufferTakes.check('registerBuffer', arguments);
    const { persistent = true } = options;
    checkNewProperty('registerBuffer', this, property, () => this[registry].buffers.has(property));
    checkTensor('registerBuffer', property, tensor);
    defineBuffer(this, property, tensor, persistent);
  }

  /** Makes `this[property]` a parameter, as an assignment does. As `torch.nn.Module.register_parameter`. */
  registerParameter(property: string, parameter: Parameter | null): void {
    registerParameterTakes.check('registerParameter', arguments);
    addParameter(this, property, parameter);
  }

  /** Makes `this[property]` a submodule, as an assignment does. As `torch.nn.Module.register_module`. */
  registerModule(property: string, module: Module | null): void {
    registerModuleTakes.check('registerModule', arguments);
    addSubmodule(this, property, module);
  }

  /** The same as `registerModule`. */
  addModule(property: string, module: Module | null): void {
    registerModuleTakes.check('addModule', arguments);
    this.registerModule(property, module);
  }

  /**
   * The submodule under a name such as `'encoder.layers.0'`; this module for `''`. As `torch.nn.Module.get_submodule`.
   *
   * @throws AiforgeError INVALID_ARGUMENT when there is none.
   */
  getSubmodule(target: string): Module {
    targetTakes.check('getSubmodule', arguments);
    return getSubmodule(this, target);
  }

  /** Puts a module in the place of a submodule, or with `strict: false`, the default, where there is none yet. */
  setSubmodule(target: string, module: Module, options: { strict?: boolean } = {}): void {
    setSubmoduleTakes.check('setSubmodule', arguments);
    const { strict = false } = options;
    setSubmodule(this, target, module, strict);
  }

  /** The parameter under a name such as `'encoder.weight'`. */
  getParameter(target: string): Parameter {
    targetTakes.check('getParameter', arguments);
    return getParameter(this, target);
  }

  /** The buffer under a name such as `'norm.running_mean'`. */
  getBuffer(target: string): Tensor | null {
    targetTakes.check('getBuffer', arguments);
    return getBuffer(this, target);
  }

  /** Every submodule under its name, this one first with the name `''`; a shared one once. */
  namedModules(options: NamedModulesOptions = {}): IterableIterator<[string, Module]> {
    namedModulesTakes.check('namedModules', arguments);
    return namedModulesOf(this, options).values();
  }

  modules(): IterableIterator<Module> {
    nothing.check('modules', arguments);
    return secondOf(namedModulesOf(this, {}));
  }

  namedChildren(): IterableIterator<[string, Module]> {
    nothing.check('namedChildren', arguments);
    return childrenOf(this).values();
  }

  children(): IterableIterator<Module> {
    nothing.check('children', arguments);
    return secondOf(childrenOf(this));
  }

  namedParameters(options: NamedOptions = {}): IterableIterator<[string, Parameter]> {
    namedTakes.check('namedParameters', arguments);
    refuseHidden(this);
    return namedTensors(this, parametersOf, options).values();
  }

  parameters(options: Pick<NamedOptions, 'recurse'> = {}): IterableIterator<Parameter> {
    recurseTakes.check('parameters', arguments);
    refuseHidden(this);
    return secondOf(namedTensors(this, parametersOf, options));
  }

  namedBuffers(options: NamedOptions = {}): IterableIterator<[string, Tensor]> {
    namedTakes.check('namedBuffers', arguments);
    return namedTensors(this, buffersOf, options).values();
  }

  buffers(options: Pick<NamedOptions, 'recurse'> = {}): IterableIterator<Tensor> {
    recurseTakes.check('buffers', arguments);
    return secondOf(namedTensors(this, buffersOf, options));
  }

  /** Calls `fn` with every submodule, children first, then with this module. */
  apply(fn: (module: Module) => void): this {
    applyTakes.check('apply', arguments);
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  train(mode = true): this {
    trainTakes.check('train', arguments);
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  eval(): this {
    nothing.check('eval', arguments);
    return this.train(false);
  }

  requiresGrad_(requiresGrad = true): this {
    requiresGradTakes.check('requiresGrad_', arguments);
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  /** Drops the gradients of all parameters, or with `setToNone: false` fills them with zeros. */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    zeroGradTakes.check('zeroGrad', arguments);
    const { setToNone = true } = options;
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
    return this.convert(conversion(readModuleTarget(target)));
  }

  /** Turns the floating-point parameters and buffers to `float16`. */
  half(): this {
    nothing.check('half', arguments);
    return this.convert(floatingTo('float16'));
  }

  bfloat16(): this {
    nothing.check('bfloat16', arguments);
    return this.convert(floatingTo('bfloat16'));
  }

  float(): this {
    nothing.check('float', arguments);
    return this.convert(floatingTo('float32'));
  }

  double(): this {
    nothing.check('double', arguments);
    return this.convert(floatingTo('float64'));
  }

  /** Turns all parameters and buffers to a dtype, those of integers too. As `torch.nn.Module.type`. */
  type(dtype: DType): this {
    typeTakes.check('type', arguments);
    return this.convert((tensor) => tensor.to(dtype));
  }

  /**
   * Lays the images' weights out with the channels innermost: short for `to({ memoryFormat: 'channels_last' })`.
   *
   * @example
   * import { nn, zeros } from 'aiforge';
   * class Filter extends nn.Module {
   *   weight = new nn.Parameter(zeros([2, 3, 4, 4]));
   *   forward() {}
   * }
   * new Filter().channelsLast().weight.stride(); // [48, 1, 12, 3]
   */
  channelsLast(): this {
    nothing.check('channelsLast', arguments);
    return this.to({ memoryFormat: 'channels_last' });
  }

  /** Moves parameters and buffers to a device without their values. As `torch.nn.Module.to_empty`. */
  toEmpty(options: { device: Device; recurse?: boolean }): this {
    toEmptyTakes.check('toEmpty', arguments);
    const { device, recurse = true } = options;
    return this.convert((tensor) => emptyLike(tensor, { device }), recurse);
  }

  cpu(): this {
    nothing.check('cpu', arguments);
    return this.to('cpu');
  }

  /** Moves to a GPU. Default: the current one. */
  cuda(index?: number): this {
    cudaTakes.check('cuda', arguments);
    return this.to(index === undefined ? 'cuda' : `cuda:${index}`);
  }

  private convert(convert: (tensor: Tensor) => Tensor, recurse = true): this {
    convertTensors(this, convert, recurse);
    return this;
  }

  /**
   * A module of its own with copies of the parameters, buffers and other properties of this one. As Python's
   * `copy.deepcopy(module)`. A class with `#private` fields cannot be copied: declare them `private`.
   */
  deepCopy(): this {
    nothing.check('deepCopy', arguments);
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
  override toString(): string {
    return formatModule(this.constructor.name, this.extraRepr(), this.childLines());
  }

  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal */
  [shown](): string {
    return this.constructor.name;
  }

  /** Lets a module leave a `scope` whole. */
  *[tensorsOf](): Generator<Tensor> {
    for (const module of this.modules()) {
      for (const value of Object.values(module)) if (Tensor.isTensor(value)) yield value;
    }
  }
}

brand(Module, 'Module');
