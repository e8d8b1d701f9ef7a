import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { optional, anything, boolean } from '../kinds.js';
import { show, shown } from '../show.js';
import { nothing, signature } from '../signature.js';
import { native, ownArray, type Handle, type Handles } from '../native.js';
import type { AutogradMethods } from './autograd/autogradMethods.js';
import { appliedScope, enterContext } from './context/context.js';
import {
  typedArrayOver,
  type Complex,
  type Device,
  type DType,
  type Float16Elements,
  type Layout,
  type MemoryFormat,
  type TypedArray,
} from './dtype.js';
import { memoryFormatKind } from './dtypeKinds.js';
import { along } from './dimensions.js';
import { foreignHandle, introduce } from './foreignTensors.js';
import type { TensorOperators } from './generated/methods.js';
import type { TensorIndexing } from './indexing.js';
import type { TensorMembers } from './members.js';
import { toNested } from './conversion/nesting.js';
import { unclonable } from './attributes.js';
import { tagOf } from './printing/tag.js';
import { collectYoung } from './memory/collector.js';
import { readTarget, type ToOptions } from './conversion/to.js';
import { asNumber, forJson, refuseLarge } from './conversion/primitives.js';
import { refuseInTransforms } from './autograd/transforms.js';
import { formatAny } from './printing/wrapperPrinting.js';

// A constant of the module: a property of the addon's exports would be looked up for every tensor.
const { attach } = native;

/** @internal Told of every tensor that is made and every handle that changes: the leak detector, while it runs. */
export interface Recorder {
  made(handle: Handle): void;
  moved(from: Handle, to: Handle): void;
}

let recorder: Recorder | null = null;

/** @internal */
export function setRecorder(next: Recorder | null): void {
  recorder = next;
}

// Tensors are made by operators only: a constructor that took any number could be given any handle.
const key = Symbol('tensor');

/** Nested arrays of numbers, as `tolist` gives and `tensor` takes them. */
export type NestedArray<T = number | bigint | boolean | Complex> = T | NestedArray<T>[];

/** What `tensor` takes: numbers, nested arrays of them, and arrays that hold typed arrays or tensors without dimensions. */
export type TensorData = number | bigint | boolean | Complex | Tensor | TypedArray | Float16Elements | TensorData[];

const toDtype = native.registerOperators(['to.dtype', 'to.device', 'is_contiguous.memory_format']);
const toDevice = toDtype + 1;
const isContiguousAs = toDtype + 2;

const requiresGradTakes = signature({ value: optional(boolean) });
const setDataTakes = signature({ source: anything });
const isContiguousTakes = signature<{ memoryFormat?: MemoryFormat }>({}, { memoryFormat: memoryFormatKind });

// Every aten:: operator that is a method of Tensor, and the families of methods that are written by hand.
export interface Tensor extends TensorOperators, TensorIndexing, TensorMembers, AutogradMethods {}

/**
 * A multi-dimensional array of one dtype on one device, with PyTorch's operators as methods.
 *
 * It is released by the end of the `scope` that it was made in, by `dispose()`, or by the garbage collector.
 *
 * @example
 * import { tensor } from 'aiforge';
 * const x = tensor([[1, 2], [3, 4.5]]);
 * x.matmul(x.t()).sum().item(); // 58.25
 */
export class Tensor implements Disposable {
  // What structuredClone, postMessage and v8.serialize come upon: without it they would make an empty object of a tensor.
  protected readonly unclonable: symbol;
  #handle: Handle;
  // The scope that releases it; 0 is none: the garbage collector does.
  #scope: number;

  /** @internal */
  static handleOf: (tensor: Tensor) => Handle;
  /** @internal Whether a scope made the tensor and still keeps it. */
  static isIn: (tensor: Tensor, scope: number) => boolean;
  /** @internal Moves a tensor out of its scope into the current one. */
  static rehome: (tensor: Tensor) => void;

  static {
    Tensor.handleOf = (tensor) => (#handle in tensor ? tensor.#handle : foreignHandle(tensor)!);
    Tensor.isIn = (tensor, scope) => #scope in tensor && tensor.#scope === scope && native.isLive(tensor.#handle);
    Tensor.rehome = (tensor) => {
      // Another copy's tensor is in no scope of this one.
      if (!(#scope in tensor) || tensor.#scope === 0) return;
      enterContext();
      const handle = native.rehome(tensor.#handle);
      recorder?.moved(tensor.#handle, handle);
      tensor.#handle = handle;
      tensor.#scope = appliedScope();
      if (tensor.#scope === 0) attach(tensor, tensor.#handle);
    };
    introduce(Tensor, (value) => (#handle in value ? value.#handle : null));
  }

  /** @internal Only operators make tensors: use `tensor()`, `zeros()`, … */
  constructor(token: symbol, handle: Handle) {
    if (token !== key) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'A Tensor has no public constructor: use tensor(), zeros(), randn(), …',
      );
    }
    this.unclonable = unclonable;
    this.#handle = handle;
    this.#scope = appliedScope();
    if (this.#scope === 0 && attach(this, handle) === true) collectYoung();
    if (recorder !== null) recorder.made(handle);
  }

  /** Whether a value is a Tensor of this library, and no look-alike. */
  static isTensor(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && (#handle in value || foreignHandle(value) !== null);
  }

  /** The sizes of the dimensions, such as `[2, 3]`. */
  get shape(): number[] {
    return ownArray(native.shape(this.#handle));
  }

  /** The size of dimension `dim`, or all of them. */
  size(): number[];
  size(dim: number): number;
  size(_dim?: number): number | number[] {
    return arguments.length === 0 ? this.shape : along(this, 'size', this.shape, arguments);
  }

  /** How many elements lie between neighbours along dimension `dim`, or along each. */
  stride(): number[];
  stride(dim: number): number;
  stride(_dim?: number): number | number[] {
    const strides = ownArray(native.strides(this.#handle));
    return arguments.length === 0 ? strides : along(this, 'stride', strides, arguments);
  }

  get ndim(): number {
    return native.dim(this.#handle);
  }

  dim(): number {
    if (arguments.length > 0) nothing.check('dim', arguments);
    return native.dim(this.#handle);
  }

  /** The number of elements. */
  numel(): number {
    if (arguments.length > 0) nothing.check('numel', arguments);
    return native.numel(this.#handle);
  }

  get dtype(): DType {
    return native.dtype(this.#handle) as DType;
  }

  get device(): Device {
    return native.device(this.#handle) as Device;
  }

  /** How the elements are stored: `'strided'`, or one of the sparse layouts. */
  get layout(): Layout {
    return native.layout(this.#handle) as Layout;
  }

  /** Bytes of one element. */
  elementSize(): number {
    if (arguments.length > 0) nothing.check('elementSize', arguments);
    return native.itemSize(this.#handle);
  }

  /** Whether the elements lie in memory row by row, or in the order of another memory format. */
  isContiguous(options?: { memoryFormat?: MemoryFormat }): boolean {
    if (arguments.length > 0) isContiguousTakes.check('isContiguous', arguments);
    const format = options?.memoryFormat;
    if (format === undefined) return native.isContiguous(this.#handle);
    return native.call(isContiguousAs, this.#handle, format) as boolean;
  }

  /** Whether operators on this tensor are recorded for `backward`. */
  get requiresGrad(): boolean {
    return native.requiresGrad(this.#handle);
  }

  set requiresGrad(value: boolean) {
    if (!value && !this.isLeaf) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `requiresGrad: it can be turned off for leaves only, and ${this.gradFn} made this tensor: use detach().`,
      );
    }
    refuseInTransforms('requiresGrad_()', 'use func.grad, func.vjp, func.jacrev, … in its place, or');
    native.setRequiresGrad(this.#handle, value);
  }

  requiresGrad_(value = true): this {
    requiresGradTakes.check('requiresGrad_', arguments);
    this.requiresGrad = value;
    return this;
  }

  get isLeaf(): boolean {
    return native.isLeaf(this.#handle);
  }

  /** The name of the autograd node that made this tensor, such as `AddBackward0`; null for a leaf. */
  get gradFn(): string | null {
    return native.gradFnName(this.#handle);
  }

  /** The gradient that `backward` accumulated, or null. */
  get grad(): Tensor | null {
    enterContext();
    const gradient = native.gradient(this.#handle);
    return gradient === null ? null : new Tensor(key, gradient);
  }

  set grad(gradient: Tensor | null) {
    native.setGradient(this.#handle, gradient === null ? null : handleOf(gradient));
  }

  /** Gives this tensor the data of another, outside autograd: Python's `tensor.data = source`. */
  setData(source: Tensor): void {
    if (arguments.length !== 1) setDataTakes.check('setData', arguments);
    native.setData(this.#handle, handleOf(source));
  }

  /**
   * This tensor in another dtype, on another device, or in both as another tensor has them; itself when nothing changes.
   * See `torch.Tensor.to`.
   */
  to(target: DType | Device | Tensor | null, options?: ToOptions): Tensor;
  to(target: DType | Tensor, nonBlocking?: boolean, copy?: boolean | ToOptions, options?: ToOptions): Tensor;
  to(device: Device | null, dtype: DType | null, options?: ToOptions): Tensor;
  to(
    device: Device | null,
    dtype: DType | null,
    nonBlocking?: boolean,
    copy?: boolean | ToOptions,
    options?: ToOptions,
  ): Tensor;
  to(options: ToOptions): Tensor;
  to(...args: unknown[]): Tensor {
    const { device, dtype, rest } = readTarget(this, Tensor.isTensor, args);
    enterContext();
    return wrapHandle(
      (device === this.device
        ? native.call(toDtype, this.#handle, dtype, ...rest)
        : native.call(toDevice, this.#handle, device, dtype, ...rest)) as Handle,
    );
  }

  /**
   * The single element. It is typed as a number, which it is but for some dtypes, whose type the caller names: of bool it
   * is a boolean (`item<boolean>()`), of complex numbers `{ re, im }` (`item<Complex>()`), and of 64-bit integers beyond 2^53
   * a bigint (`item<number | bigint>()`).
   *
   * @throws AiforgeError OPERATOR_FAILED unless there is one element.
   * @example
   * import { tensor } from 'aiforge';
   * tensor([0.5]).item().toFixed(3); // '0.500'
   * tensor(true).item<boolean>(); // true
   */
  item<T extends number | bigint | boolean | Complex = number>(): T {
    if (arguments.length > 0) nothing.check('item', arguments);
    const value = native.item(this.#handle);
    return (typeof value === 'object' ? { ...value } : value) as T;
  }

  /** A copy of the data, row by row, as the typed array of the dtype (float16: its 16 bits; complex: pairs). */
  toTypedArray(): TypedArray {
    if (arguments.length > 0) nothing.check('toTypedArray', arguments);
    return typedArrayOver(native.copyBytes(this.#handle), this.dtype);
  }

  /**
   * The tensor's own memory as a typed array, without a copy: writing to it writes the tensor.
   * The memory lives as long as either; Node gives a collected array's back when the event loop turns. Throws unless the
   * tensor is contiguous and on the CPU.
   */
  viewTypedArray(): TypedArray {
    if (arguments.length > 0) nothing.check('viewTypedArray', arguments);
    return typedArrayOver(native.viewBytes(this.#handle), this.dtype);
  }

  /**
   * The elements as nested arrays, of which the caller may name the type: `tolist<number[][]>()`. They are numbers, but
   * booleans of bool, `{ re, im }` of complex numbers, and bigints of 64-bit integers beyond 2^53.
   *
   * @example
   * import { tensor } from 'aiforge';
   * const [first] = tensor([[1, 2], [3, 4]]).tolist<number[][]>();
   * first; // [1, 2]
   */
  tolist<T extends NestedArray = NestedArray<number>>(): T {
    if (arguments.length > 0) nothing.check('tolist', arguments);
    return toNested(this, this.#handle) as T;
  }

  /**
   * What `JSON.stringify` writes: the elements as nested arrays, complex numbers as `{ re, im }`; JSON makes null of NaN and of
   * infinite numbers.
   *
   * @throws AiforgeError INVALID_ARGUMENT for integers beyond 2^53, which JSON's numbers do not hold, and for more than a
   * million elements.
   */
  toJSON(): NestedArray<number | boolean | Complex> {
    refuseLarge(this);
    return forJson(this.tolist<NestedArray>());
  }

  /**
   * What JavaScript's own operators make of a tensor: of one element its number, as Python's `float(x)`; in a template string
   * its printed form.
   *
   * @throws AiforgeError INVALID_ARGUMENT for other tensors: JavaScript's operators do not compute with them.
   */
  [Symbol.toPrimitive](hint: 'number' | 'string' | 'default'): number | string {
    return hint === 'string' ? this.toString() : asNumber(this);
  }

  /** Releases the memory now. Using the tensor afterwards throws `TensorDisposedError`; disposing it twice does not. */
  dispose(): void {
    if (arguments.length > 0) nothing.check('dispose', arguments);
    native.dispose(this.#handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get isDisposed(): boolean {
    return !native.isLive(this.#handle);
  }

  /** The tensor as PyTorch prints it; see `setPrintOptions`. */
  toString(): string {
    return formatAny(this, this.#handle, wrapHandle);
  }

  /** What deep comparisons go by: dtype, device, sizes and elements. */
  get [Symbol.toStringTag](): string {
    return #handle in this ? tagOf(this, this.#handle) : 'Tensor';
  }

  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal */
  [shown](): string {
    return this.isDisposed ? 'disposed tensor' : `${this.dtype}[${this.shape.join(', ')}]`;
  }
}

/** @internal The handle of a tensor; throws for anything else. */
export function handleOf(tensor: Tensor): Handle {
  if (!Tensor.isTensor(tensor)) {
    throw new AiforgeError('INVALID_ARGUMENT', `Expected a Tensor, got ${show(tensor)}.`);
  }
  return Tensor.handleOf(tensor);
}

/** @internal */
export function handlesOf(tensors: readonly Tensor[]): Handles {
  const handles = new Float64Array(tensors.length);
  for (let i = 0; i < tensors.length; ++i) handles[i] = handleOf(tensors[i] as Tensor);
  return handles;
}

/** @internal The same where some are no tensors. */
export function handlesOrNone(tensors: readonly (Tensor | null | undefined)[]): Handles {
  return Float64Array.from(tensors, (tensor) => (tensor === null || tensor === undefined ? -1 : handleOf(tensor)));
}

/** @internal A tensor for a handle that the addon has just made; `enterContext()` came before. */
export function wrapHandle(handle: Handle): Tensor {
  return new Tensor(key, handle);
}

/** @internal For subclasses: what their constructors pass on. */
export const tensorKey = key;
