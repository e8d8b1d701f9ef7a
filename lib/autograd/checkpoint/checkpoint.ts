import { AiforgeError } from '../../errors.js';
import { boolean, func, type Kinds } from '../../kinds.js';
import type { AutocastState } from '../../tensor/context/autocastState.js';
import { currentContext, runInContext } from '../../tensor/context/context.js';
import { keep, scope } from '../../tensor/memory/scope.js';
import { currentGraphTask, refuseResult } from '../../tensor/autograd/engine.js';
import { empty } from '../../tensor/generated/functions.js';
import { handleOf, Tensor, wrapHandle } from '../../tensor/tensor.js';
import { recomputing } from './recomputing.js';
import { checkpointReentrant } from './reentrant.js';
import { AutogradFunction, type FunctionContext } from '../function.js';
import { enableGrad, isGradEnabled } from '../modes.js';
import { RngState } from './rngState.js';
import { underHooks, type Packer } from '../savedTensors.js';
import type { Handle } from '../../native.js';
import { signature } from '../../signature.js';
import { isPlainObject, isPromise } from '../../realms.js';

export interface CheckpointOptions {
  /** Recomputes in a backward pass of its own, which `grad` and `inputs` cannot use. Default: false. */
  useReentrant?: boolean;
  /** Draws the same random numbers in the recomputation. Default: true. */
  preserveRngState?: boolean;
}

export const checkpointOptions: Kinds<CheckpointOptions> = { useReentrant: boolean, preserveRngState: boolean };

const checkpointTakes = signature({ fn: func() });

function isOptions(value: unknown): value is CheckpointOptions {
  if (!isPlainObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => key in checkpointOptions);
}

/**
 * Runs `fn` on the arguments without keeping what its operators save for backward: the backward pass runs `fn` again
 * to have it. `fn` must do the same both times; what it makes and does not return is released. As
 * `torch.utils.checkpoint.checkpoint`, not reentrant by default.
 *
 * Options come last: a plain object of `useReentrant` and `preserveRngState`.
 *
 * @example
 * import { checkpoint, ones } from 'aiforge';
 * const x = ones([2], { requiresGrad: true });
 * checkpoint((t) => t.mul(2).exp(), x).sum().backward();
 */
export function checkpoint<Args extends unknown[], Result>(
  fn: (...args: Args) => Result,
  ...args: [...Args] | [...Args, CheckpointOptions]
): Result {
  if (typeof fn !== 'function') checkpointTakes.check('checkpoint', [fn]);
  const last = args.at(-1);
  const options = isOptions(last) ? last : {};
  const own = (isOptions(last) ? args.slice(0, -1) : args) as Args;
  const run = () => refusePromise(fn(...own));
  if (options.useReentrant === true) return checkpointReentrant(fn, own, options.preserveRngState ?? true);
  if (!isGradEnabled()) return run();
  const frame = new Frame(fn as (...args: unknown[]) => unknown, own, options.preserveRngState ?? true);
  return frame.forward(run);
}

function refusePromise<T>(result: T): T {
  if (isPromise(result)) refuseResult('checkpoint: the function', result);
  return result;
}

// Its graph is never run: it is where the arguments are saved, checked against changes in place, and checkpointed
// themselves where checkpoints nest.
class SaveInputs extends AutogradFunction {
  static forward(context: FunctionContext, _active: Tensor, frame: Frame, ...inputs: Tensor[]): Tensor {
    context.saveForBackward(...inputs);
    frame.inputs = () => context.savedTensors;
    return empty([0]);
  }

  static backward(): never {
    throw new AiforgeError('OPERATOR_FAILED', 'checkpoint: the graph of its arguments was run.');
  }
}

interface Saved {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly device: string;
}

const describe = ({ shape, dtype, device }: Saved) => `${dtype}[${shape.join(', ')}] on ${device}`;

/** One call of `checkpoint`: what it needs to run its function again. */
class Frame {
  /** The tensors among the arguments, unpacked. */
  inputs: () => Tensor[] = () => [];
  readonly #fn: (...args: unknown[]) => unknown;
  // The arguments; a tensor is left out, and found among the inputs.
  readonly #args: readonly unknown[];
  readonly #isTensor: readonly boolean[];
  readonly #rng: RngState | null;
  readonly #autocast: AutocastState = currentContext().autocast;
  readonly #keeper: Tensor;
  // What the function saved, in order.
  readonly #saved: Saved[] = [];
  // What recomputations gave and backward did not take yet, by the engine's pass.
  readonly #recomputed = new Map<number, Map<number, Tensor>>();
  #outside = 0;

  constructor(fn: (...args: unknown[]) => unknown, args: readonly unknown[], preserveRngState: boolean) {
    this.#fn = fn;
    this.#isTensor = args.map((value) => Tensor.isTensor(value));
    this.#args = args.map((value) => (Tensor.isTensor(value) ? null : value));
    const tensors = args.filter((value) => Tensor.isTensor(value));
    this.#rng = preserveRngState ? new RngState(tensors) : null;
    this.#keeper = SaveInputs.apply(empty([0], { requiresGrad: true }), this, ...tensors);
  }

  forward<T>(run: () => T): T {
    const keeper = this.#keeper;
    return underHooks(this.#packer(), { takes: true, kept: keeper }, () => {
      keeper.dispose(); // the hooks keep it
      return scope(run);
    });
  }

  // Made apart: it lives as long as the graph, which must not keep what `forward` has.
  #packer(): Packer {
    return ([handle]) => {
      using tensor = wrapHandle(handle as Handle);
      const index = this.#saved.length;
      this.#saved.push({ shape: tensor.shape, dtype: tensor.dtype, device: tensor.device });
      return () => this.#unpack(index);
    };
  }

  #unpack(index: number): Handle {
    // Outside of a backward pass there is no number to share a recomputation by.
    const pass = currentGraphTask() < 0 ? --this.#outside : currentGraphTask();
    const values = this.#recomputed.get(pass) ?? this.#recompute();
    const tensor = values.get(index);
    if (tensor === undefined) return this.#unpackAgain(index);
    values.delete(index);
    if (values.size === 0 || pass < 0) this.#recomputed.delete(pass);
    else this.#recomputed.set(pass, values);
    return handleOf(tensor);
  }

  /** A second time in one pass, as when a Function reads its saved tensors twice. */
  #unpackAgain(index: number): Handle {
    return handleOf(this.#recompute().get(index)!);
  }

  #recompute(): Map<number, Tensor> {
    const values = new Map<number, Tensor>();
    const enough = new Error('everything was recomputed');
    const record = (tensor: Tensor) => {
      const index = values.size;
      if (index < this.#saved.length) values.set(index, keep(this.#check(index, tensor)));
      if (index + 1 >= this.#saved.length) throw enough;
      return () => null;
    };
    try {
      scope(() => {
        const inputs = this.inputs();
        const args = this.#isTensor.map((isTensor, i) => (isTensor ? inputs.shift() : this.#args[i]));
        const run = () =>
          runInContext({ autocast: this.#autocast }, () => enableGrad(() => recomputing(() => void this.#fn(...args))));
        underHooks(
          ([handle]) => record(wrapHandle(handle as Handle)),
          { takes: false, kept: null },
          () => (this.#rng === null ? run() : this.#rng.run(run)),
        );
      });
    } catch (error) {
      if (error !== enough) throw error;
    }
    if (values.size < this.#saved.length) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `checkpoint: the function saved ${this.#saved.length} tensors for backward, and ${values.size} when it ran ` +
          'again: it must do the same both times.',
      );
    }
    return values;
  }

  #check(index: number, tensor: Tensor): Tensor {
    const before = describe(this.#saved[index] as Saved);
    const now = describe(tensor);
    if (before === now) return tensor;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `checkpoint: the function saved ${before} for backward, and ${now} in its place when it ran again: it must do ` +
        'the same both times.',
    );
  }
}
