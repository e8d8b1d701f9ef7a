import { AutogradFunction, type FunctionContext } from '../autograd/function.js';
import { grad } from '../autograd/grad.js';
import { flattenTree, unflattenTree, type TreeSpec } from '../autograd/pytree.js';
import { AiforgeError } from '../errors.js';
import { anything, boolean, count, kind } from '../kinds.js';
import { wrappingKinds } from '../nn/hooks/hookLists.js';
import { Module } from '../nn/module.js';
import { hooksOf } from '../nn/members/registry.js';
import { signature } from '../signature.js';
import { currentContext, runInContext } from '../tensor/context/context.js';
import { emptyLike } from '../tensor/generated/functions.js';
import { Tensor } from '../tensor/tensor.js';
import { synchronize } from './device.js';
import { CUDAGraph, MemoryPool } from './graph.js';
import { Stream } from './stream.js';

export interface GraphedCallableOptions {
  /** How often each is run before it is captured. Default: 3; a DistributedDataParallel needs 11. */
  numWarmupIters?: number;
  /** Lets inputs be without influence on the outputs. Default: false. */
  allowUnusedInput?: boolean;
  /** The memory that the graphs share. Default: one of their own. */
  pool?: MemoryPool;
}

type Call = (...args: never[]) => unknown;
type Callable = Call | Module;
type Run = (...args: unknown[]) => unknown;

const isCallable = (value: unknown) => typeof value === 'function' || value instanceof Module;
const takes = signature<GraphedCallableOptions>(
  {
    callables: kind('a function, a Module, or an array of them', (value) =>
      Array.isArray(value) ? value.length > 0 && value.every(isCallable) : isCallable(value),
    ),
    sampleArgs: anything,
  },
  {
    numWarmupIters: count,
    allowUnusedInput: boolean,
    pool: kind<MemoryPool>('a MemoryPool', (value) => value instanceof MemoryPool),
  },
);

/**
 * Functions or modules that run as captured graphs, forwards and backwards: each call copies its arguments, of the shapes of
 * the samples, to where the graphs read, and starts them. A module is changed in place, and runs as before in the other of its
 * modes of training and evaluation. As `torch.cuda.make_graphed_callables`.
 *
 * What a call returns holds until the next call. Several callables share memory and must run in the order of the array. There is
 * no second derivative, and in autocast `cacheEnabled` must be false.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is no device; INVALID_ARGUMENT for samples that are no tensors;
 * OPERATOR_FAILED for what cannot be captured.
 * @example
 * import { cuda, nn, randn } from 'aiforge';
 * if (cuda.isAvailable()) {
 *   const model = new nn.Linear(8, 2).to('cuda');
 *   cuda.makeGraphedCallables(model, [randn([4, 8], { device: 'cuda' })]);
 *   model.forward(randn([4, 8], { device: 'cuda' })).sum().backward();
 * }
 */
export function makeGraphedCallables<T extends Callable>(
  callable: T,
  sampleArgs: readonly unknown[],
  options?: GraphedCallableOptions,
): T;
export function makeGraphedCallables<T extends readonly Callable[]>(
  callables: T,
  sampleArgs: readonly (readonly unknown[])[],
  options?: GraphedCallableOptions,
): T;
export function makeGraphedCallables(
  callables: Callable | readonly Callable[],
  sampleArgs: readonly unknown[],
  options: GraphedCallableOptions = {},
): unknown {
  takes.check('makeGraphedCallables', arguments);
  const { numWarmupIters = 3, allowUnusedInput = false, pool = new MemoryPool() } = options;
  const { cpu, cuda, cacheEnabled } = currentContext().autocast;
  if ((cpu.enabled || cuda.enabled) && cacheEnabled) {
    refuse('the casts that autocast keeps are not captured; give the autocast around it { cacheEnabled: false }');
  }
  const samples = Array.isArray(callables) ? sampleArgs : [sampleArgs];
  const all = Array.isArray(callables) ? (callables as Callable[]) : [callables as Callable];
  if (samples.length !== all.length)
    refuse(`expected arguments for each of ${all.length} callables, got ${samples.length}`);
  // What the graphs work on lives as long as they do.
  return runInContext({ holder: null }, () => {
    const captures = all.map((callable, i) => new Capture(callable, samples[i] as readonly unknown[]));
    synchronize();
    new Stream().run(() => {
      for (const capture of captures) for (let i = 0; i < numWarmupIters; ++i) capture.warmUp(allowUnusedInput);
    });
    synchronize();
    // The order in which they will run, so that no replay overwrites what a later one reads.
    for (const capture of captures) capture.captureForward(pool);
    for (const capture of [...captures].reverse()) capture.captureBackward(pool, allowUnusedInput);
    const graphed = captures.map((capture) => capture.install());
    return Array.isArray(callables) ? graphed : graphed[0];
  });
}

function refuse(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `makeGraphedCallables: ${problem}.`);
}

/** One callable, the tensors that its graphs work on, and the graphs. */
class Capture {
  readonly #callable: Callable;
  readonly #call: Run;
  readonly #args: readonly unknown[];
  readonly #given: readonly Tensor[];
  readonly #parameters: readonly Tensor[];
  readonly #forward = new CUDAGraph();
  readonly #backward = new CUDAGraph();
  #outputs: readonly Tensor[] = [];
  #spec: TreeSpec | undefined;
  #gradOutputs: readonly (Tensor | null)[] = [];
  #gradInputs: readonly (Tensor | null)[] = [];

  constructor(callable: Callable, args: readonly unknown[]) {
    this.#callable = callable;
    this.#call = (callable instanceof Module ? callable.forward.bind(callable) : callable) as Run;
    this.#args = args;
    this.#given = tensorsOf(args, 'the sample arguments');
    this.#parameters = callable instanceof Module ? [...callable.parameters()] : [];
    if (callable instanceof Module && wrappingKinds.some((kind) => (hooksOf(callable, kind)?.size ?? 0) > 0)) {
      refuse('the module has hooks, which a graph would not call; register them afterwards');
    }
    if (callable instanceof Module && [...callable.buffers()].some((buffer) => buffer.requiresGrad)) {
      refuse('a buffer of the module requires a gradient, and only parameters may');
    }
  }

  get #inputs(): Tensor[] {
    return [...this.#given, ...this.#parameters];
  }

  warmUp(allowUnused: boolean): void {
    const outputs = tensorsOf(this.#call(...this.#args), 'what the callable returns');
    this.#gradients(outputs, outputs.map(emptyGradient), allowUnused);
  }

  captureForward(pool: MemoryPool): void {
    this.#forward.capture(
      () => {
        const { leaves, spec } = flattenTree(this.#call(...this.#args));
        this.#outputs = tensorsOf(leaves, 'what the callable returns');
        this.#spec = spec;
      },
      { pool },
    );
  }

  captureBackward(pool: MemoryPool, allowUnused: boolean): void {
    this.#gradOutputs = this.#outputs.map(emptyGradient);
    const noGradients = this.#inputs.map(() => null);
    if (!this.#outputs.some((output) => output.requiresGrad)) return void (this.#gradInputs = noGradients);
    this.#backward.capture(
      () => {
        const gradients = this.#gradients(this.#outputs, this.#gradOutputs, allowUnused);
        this.#gradInputs = this.#inputs.map((input) => (input.requiresGrad ? (gradients.shift() ?? null) : null));
      },
      { pool },
    );
  }

  #gradients(outputs: readonly Tensor[], gradOutputs: readonly (Tensor | null)[], allowUnused: boolean) {
    const inputs = this.#inputs.filter((input) => input.requiresGrad);
    const roots = outputs.filter((output) => output.requiresGrad);
    if (roots.length === 0 || inputs.length === 0) return [];
    return grad(roots, inputs, { gradOutputs: gradOutputs.filter((gradient) => gradient !== null), allowUnused });
  }

  /** The callable as its graphs run it. */
  install(): Callable {
    const graphed = this.#graphed();
    const callable = this.#callable;
    if (!(callable instanceof Module)) return graphed;
    const [original, mode] = [this.#call, callable.training];
    callable.forward = (...args: unknown[]) => (callable.training === mode ? graphed : original)(...args);
    return callable;
  }

  #graphed(): Run {
    const start = (inputs: readonly Tensor[]) => {
      this.#given.forEach((place, i) => copyInto(place, inputs[i]!));
      this.#forward.replay();
      return this.#outputs.map((output) => output.detach());
    };
    const startBackward = (gradients: readonly (Tensor | null)[]) => {
      this.#gradOutputs.forEach((place, i) => place !== null && copyInto(place, gradients[i]!));
      this.#backward.replay();
      return this.#gradInputs.map((gradient) => gradient?.detach() ?? null);
    };
    class Graphed extends AutogradFunction {
      static forward(_context: FunctionContext, ...inputs: Tensor[]): Tensor[] {
        return start(inputs);
      }

      static backward(_context: FunctionContext, ...gradients: (Tensor | null)[]): (Tensor | null)[] {
        return startBackward(gradients);
      }
    }
    return (...args) => {
      const given = tensorsOf(args, 'the arguments');
      if (given.length !== this.#given.length) {
        refuse(`the callable was captured with ${this.#given.length} tensors, and got ${given.length}`);
      }
      return unflattenTree(Graphed.apply(...given, ...this.#parameters), this.#spec!);
    };
  }
}

function tensorsOf(tree: unknown, what: string): Tensor[] {
  const { leaves } = flattenTree(tree);
  if (leaves.every((leaf) => Tensor.isTensor(leaf))) return leaves;
  return refuse(`${what} must be tensors alone, in arrays or objects`);
}

const emptyGradient = (output: Tensor): Tensor | null => (output.requiresGrad ? emptyLike(output) : null);

function copyInto(place: Tensor, value: Tensor): void {
  if (place === value) return;
  const [expected, got] = [place.shape, value.shape].map((shape) => `[${shape.join(', ')}]`);
  if (expected !== got) refuse(`it was captured with a tensor of shape ${expected}, and got one of ${got}`);
  place.detach().copy_(value);
}
