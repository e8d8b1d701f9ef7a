import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

import { AiforgeError, TensorDisposedError, type ErrorCode } from './errors.js';
import { isError } from './realms.js';
import { hintFor } from './hints.js';
import { findAddon, setUp, writtenSchemas, writtenVersion } from './locate.js';
import { threadsAtStart } from './threads.js';

/** A tensor's number in the addon's slot table. */
export type Handle = number;

/** Handles of a list of tensors; -1 stands for "no tensor". */
export type Handles = Float64Array;

/** One that `createGenerator` made, or the default one of the device of this name. */
export type GeneratorId = number | string;

/** The number of a pass, whether it records, and that of the engine's task. */
export type EngineCall = [pass: number, gradEnabled: boolean, graphTask: number];

/** JavaScript that the engine calls, made by `onEngineCall`. */
export type EngineCallback = (...call: EngineCall) => unknown;

/** What a hook is removed by. */
export type HookToken = object & { readonly hookToken: unique symbol };

/** The addon's node of a Function, which this does not keep alive. */
export type FunctionNode = object & { readonly functionNode: unique symbol };

/** What a Function's forward hands to the addon. */
export interface FunctionForward {
  outputs: Handles;
  dirty: Handles;
  nonDifferentiable: Handles;
  toSave: Handles;
  materializeGrads: boolean;
}

type ErrorFactory = (code: ErrorCode, message: string, op: string, args: string[]) => Error;

export interface NativeArgument {
  name: string;
  /** As the schema prints it, such as `Tensor` or `Optional[List[int]]`. */
  type: string;
  kind: number;
  isList: boolean;
  isOptional: boolean;
  /** `int[2]`: a single number stands for two. */
  listSize: number;
  kwargOnly: boolean;
  isOut: boolean;
  hasDefault: boolean;
}

export interface NativeReturn extends NativeArgument {
  /** The position of the argument that this return is, or -1. */
  alias: number;
}

export interface NativeSchema {
  name: string;
  schema: string;
  checksum: number;
  arguments: NativeArgument[];
  returns: NativeReturn[];
}

/** The addon: everything that C++ offers, before TypeScript gives it a shape. */
export interface Native {
  setErrorFactory(factory: ErrorFactory): void;
  libtorchVersion(): string;
  /** Whether this thread has an environment for finalizers. */
  hasKeeper(): boolean;

  /** `true` where it is time for `collectYoung`. */
  attach: (object: object, handle: Handle) => true | undefined;
  /** Makes V8 collect all garbage, in a way of the addon's own. */
  collect(): void;
  collectYoung(collector: (options: object) => void, options: object): void;
  dispose(handle: Handle): boolean;
  rehome(handle: Handle): Handle;
  enter(scope: number, gradEnabled: boolean, inference: boolean, savedTensorsHooks: number): void;
  openScope(): number;
  closeScope(scope: number): void;
  isLive(handle: Handle): boolean;
  /** `scopes`: number, tensors and bytes of each open scope in a row, after those of no scope. */
  memory(): { tensors: number; peak: number; scopes: Float64Array };

  /** The id of a token for another thread; `once` moves the tensor. */
  share(handle: Handle, once: boolean): string;
  receive(id: string): Handle;
  releaseShared(id: string): boolean;
  unreceived(): { tensors: number; bytes: number };

  scratchBuffer(): ArrayBuffer;

  call: (operator: number, ...args: unknown[]) => unknown;
  /** `asLinked`: whoever calls them reads the linked LibTorch's schema, whatever that is. */
  registerOperators(names: readonly string[], asLinked?: boolean): number;
  hasOperator(name: string): boolean;
  /** Refuses registered operators whose schema has another checksum than these lines say. */
  writtenFor(lines: string): void;
  wrapNumber(value: unknown): Handle;
  schema(name: string): NativeSchema;
  operatorNames(): string[];
  takeInnerOperators(): void;
  takesInnerOperators(): boolean;
  /** Operators that are checked before LibTorch gets them, and why. */
  guards(): { operators: string; reason: string }[];

  shape(handle: Handle): number[];
  strides(handle: Handle): number[];
  dim(handle: Handle): number;
  numel(handle: Handle): number;
  dtype(handle: Handle): string;
  device(handle: Handle): string;
  layout(handle: Handle): string;
  itemSize(handle: Handle): number;
  isContiguous(handle: Handle): boolean;
  identity(handle: Handle): bigint;
  dataPtr(handle: Handle): bigint;
  storageOffset(handle: Handle): number;

  backward(
    tensors: Handles,
    gradients: Handles | null,
    retainGraph: boolean,
    createGraph: boolean,
    inputs: Handles | null,
    pass: number,
  ): void;
  backwardAsync(
    tensors: Handles,
    gradients: Handles | null,
    retainGraph: boolean,
    createGraph: boolean,
    inputs: Handles | null,
    pass: number,
  ): Promise<void>;
  grad(
    outputs: Handles,
    inputs: Handles,
    gradients: Handles | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
    pass: number,
  ): (Handle | null)[];
  setEngineCaller(caller: (callback: EngineCallback, ...call: EngineCall) => unknown): void;
  setAutocast(cpu: boolean, cpuDtype: string, cuda: boolean, cudaDtype: string, cacheEnabled: boolean): void;
  clearAutocastCache(): void;
  engineArguments(): (Handle | null)[];
  registerHook(handle: Handle, callback: EngineCallback): HookToken;
  registerPostAccumulateGradHook(handle: Handle, callback: EngineCallback): HookToken;
  removeHook(token: HookToken): EngineCallback | null;
  applyFunction(
    name: string,
    inputs: Handles,
    forward: () => FunctionForward,
    backward: EngineCallback,
    recorded: (node: FunctionNode) => void,
  ): (Handle | null)[];
  openSavedTensorsHooks(pack: EngineCallback, takes: boolean, kept: Handle | null): number;
  closeSavedTensorsHooks(hooks: number): void;
  setAnomaly(enabled: boolean, checkNan: boolean): void;
  setStackCapturer(capture: () => string, annotate: (error: unknown, stack: string) => void): void;
  isCheckpointValid(): boolean;
  savedTensors(node: FunctionNode): (Handle | null)[];
  retainsGrad(handle: Handle): boolean;
  gradients(tensors: Handles): (Handle | null)[];
  /** The places of the tensors of each device and dtype, in the order of groups that Python has. */
  groupsByKind(tensors: Handles): number[][];
  /** Writes the gradients' handles (-1: none) and kinds (0 none, 1 strided, 2 sparse, 3 other); whether a kind changed. */
  collectGradients(tensors: Handles, gradients: Handles, kinds: Uint8Array): boolean;
  gradient(handle: Handle): Handle | null;
  setGradient(handle: Handle, gradient: Handle | null): void;
  zeroGradients(tensors: Handles, setToNone: boolean): void;
  requiresGrad(handle: Handle): boolean;
  setRequiresGrad(handle: Handle, requiresGrad: boolean): void;
  isLeaf(handle: Handle): boolean;
  retainGrad(handle: Handle): void;
  gradFnName(handle: Handle): string | null;
  setData(handle: Handle, source: Handle): void;

  enterVmap(batchSize: number, randomness: string): number;
  enterGrad: () => number;
  enterJvp: () => number;
  exitTransform(): void;
  transformDepth(): number;
  addBatchDim(handle: Handle, dim: number, level: number): Handle;
  removeBatchDim(handle: Handle, level: number, batchSize: number, outDim: number): Handle;
  wrapForGrad(handle: Handle, level: number, requiresGrad: boolean): Handle;
  unwrapForGrad(handle: Handle, level: number): Handle | null;
  wrapperOf(handle: Handle): { level: number; batchDim: number; value: Handle } | null;
  excludeTransforms(excluded: boolean): boolean;
  enterDualLevel(): number;
  exitDualLevel(): void;
  hasDualLevel(): boolean;

  writeElement(handle: Handle, index: number, re: number, im: number): void;
  undefinedGrad(handle: Handle): Handle;

  fromTypedArray(data: ArrayBufferView, dtype: string, shape: readonly number[]): Handle;
  fromScratch: (dtype: string, dims: number) => Handle;
  fromNumbers(numbers: Float64Array, dtype: string, shape: readonly number[]): Handle;
  copyNumbers(handle: Handle): ArrayBuffer | null;
  /** How many dimensions it has; their sizes and the elements are in the scratch memory. -1: it does not fit there. */
  readElements: (handle: Handle) => number;
  promoteTypes(first: string, second: string): string;
  adoptTypedArray(data: ArrayBufferView, dtype: string, shape: readonly number[]): Handle;
  shareTypedArray(data: ArrayBufferView, dtype: string, shape: readonly number[]): Handle;
  copyBytes(handle: Handle): ArrayBuffer;
  rowMajor(handle: Handle): Handle;
  readBytes(handle: Handle, at: number, target: Uint8Array): void;
  writeBytes(handle: Handle, at: number, source: Uint8Array): void;
  /** Calls `use` with a buffer over bytes of the tensor's memory, which is empty when that returns; false where V8 allows none. */
  lendBytes(handle: Handle, at: number, count: number, use: (memory: ArrayBuffer) => void): boolean;
  viewBytes(handle: Handle): ArrayBuffer;
  item(handle: Handle): number | bigint | boolean | { re: number; im: number };

  at: (handle: Handle, count: number) => Handle;
  setAt: (handle: Handle, count: number) => void;

  manualSeed(seed: number | bigint): void;
  createGenerator(device: string): number;
  generatorDevice(generator: GeneratorId): string;
  releaseGenerator(generator: number): void;
  seedGenerator(generator: GeneratorId, seed: number | bigint): void;
  seedFromSystem(generator: GeneratorId): number | bigint;
  initialSeed(generator: GeneratorId): number | bigint;
  generatorState(generator: GeneratorId): Handle;
  setGeneratorState(generator: GeneratorId, state: Handle): void;

  /** Whether this is the first call in the process. */
  isFirstLoad(): boolean;
  setNumThreads(threads: number): void;
  /** As `setNumThreads`, but for this thread alone. */
  setOwnThreads(threads: number): void;
  getNumThreads(): number;
  setNumInteropThreads(threads: number): void;
  getNumInteropThreads(): number;

  setDeterministic(enabled: boolean, warnOnly: boolean): void;
  isDeterministic(): boolean;
  isDeterministicWarnOnly(): boolean;
}

/** What is told before an OUT_OF_MEMORY of a GPU is thrown; it must not throw. */
export const outOfDeviceMemory: { observer: (() => void) | null } = { observer: null };

function createError(code: ErrorCode, reason: string, op: string, args: string[]): Error {
  const call = op === '' ? '' : `${op}(${args.join(', ')}): `;
  const hint = hintFor(reason);
  const message = call + (hint === undefined ? reason : `${reason.replace(/\.?$/, '.')} ${hint}`);
  const details = { op: op === '' ? undefined : op, args };
  if (code === 'OUT_OF_MEMORY' && reason.includes('CUDA')) outOfDeviceMemory.observer?.();
  return code === 'TENSOR_DISPOSED'
    ? new TensorDisposedError(message, details)
    : new AiforgeError(code, message, details);
}

function load(): Native {
  const { origin, file, libraries } = findAddon();
  try {
    libraries.forEach(loadLibrary);
    const addon = require(file) as Native;
    // Its second environment in this thread, for finalizers: native/keeper.h says why.
    if (!addon.hasKeeper()) process.dlopen({ exports: {} }, file);
    if (addon.libtorchVersion() !== writtenVersion) addon.writtenFor(readFileSync(writtenSchemas, 'utf8'));
    return addon;
  } catch (cause) {
    const reason = isError(cause) ? cause.message : String(cause);
    const remedy =
      origin === 'source' ? `Run: ${setUp}` : `To compile one for this system, run: AIFORGE_BUILD=source ${setUp}`;
    throw new AiforgeError('ADDON_NOT_LOADED', `The addon ${file} cannot be loaded: ${reason}. ${remedy}`, { cause });
  }
}

const RTLD_NODELETE = 0x1000;

/** Loads a library of LibTorch, so that the addon, which only names it, finds it in the process. */
function loadLibrary(file: string): void {
  try {
    process.dlopen({ exports: {} }, file, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    // Node expects an addon, and says so once the library is loaded.
    if (!(isError(error) && error.message.includes('did not self-register'))) throw error;
  }
}

export const native: Native = load();

// What the addon makes is of the realm that loaded it first, and the library's user may live in another.
const isOfThisRealm = native.gradients(new Float64Array(0)) instanceof Array;

/** An array that the addon made, as one of this realm. */
export const ownArray: <T>(array: T[]) => T[] = isOfThisRealm ? (array) => array : (array) => Array.from(array);

const mirrors = Symbol.for('aiforge.mirrors');

/**
 * What JavaScript remembers of the addon's state. All copies of the library over one addon have it together, each topic as the
 * first of them made it; it holds data only, since that copy's code may be gone.
 */
export function mirror<State extends object>(topic: string, first: () => State): State {
  const all = ((native as unknown as Record<symbol, Map<string, object> | undefined>)[mirrors] ??= new Map());
  if (!all.has(topic)) all.set(topic, first());
  return all.get(topic) as State;
}

const errors = mirror<{ factory: ErrorFactory | null }>('errors', () => ({ factory: null }));

/** Has the addon's errors be of this copy's classes, or whose they were before; returns whose they were until now. */
export function takeErrors(factory: ErrorFactory | null = createError): ErrorFactory | null {
  const before = errors.factory;
  if (factory !== null && factory !== before) {
    native.setErrorFactory(factory);
    errors.factory = factory;
  }
  return before;
}

takeErrors();
// Threads of LibTorch are the process's: a worker that loads the library later must not undo what was set in between.
const threads = threadsAtStart(process.env, () => native.getNumThreads());
if (native.isFirstLoad() && threads !== null) native.setNumThreads(threads);
