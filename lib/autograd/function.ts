import { AiforgeError } from '../errors.js';
import {
  native,
  ownArray,
  type EngineCallback,
  type FunctionForward,
  type FunctionNode,
  type Handle,
  type Handles,
} from '../native.js';
import { isPromise } from '../realms.js';
import { enterContext } from '../tensor/context/context.js';
import { onEngineCall, refuseResult } from '../tensor/autograd/engine.js';
import { tie } from '../tensor/autograd/hookTies.js';
import { handlesOf, handlesOrNone, Tensor, wrapHandle } from '../tensor/tensor.js';
import { refuseInTransforms } from '../tensor/autograd/transforms.js';
import { noGrad } from './modes.js';

/** What a Function's `forward` tells its `backward`; fields of its own may be set on it. */
class Context {
  /** Whether each argument of `apply` is a tensor that requires a gradient. */
  readonly needsInputGrad: readonly boolean[];
  #toSave: readonly (Tensor | null)[] = [];
  #dirty: readonly Tensor[] = [];
  #nonDifferentiable: readonly Tensor[] = [];
  #materializeGrads = true;
  #node: FunctionNode | undefined;

  /** @internal */
  static forwardOf: (context: Context, outputs: readonly unknown[]) => FunctionForward;
  /** @internal */
  static attach: (context: Context, node: FunctionNode) => void;

  static {
    Context.forwardOf = (context, outputs) => ({
      outputs: handlesOrNone(outputs.map((output) => (Tensor.isTensor(output) ? output : null))),
      dirty: handlesOf(context.#dirty),
      nonDifferentiable: handlesOf(context.#nonDifferentiable),
      toSave: handlesOrNone(context.#toSave),
      materializeGrads: context.#materializeGrads,
    });
    Context.attach = (context, node) => {
      context.#node = node;
      context.#toSave = [];
      context.#dirty = [];
      context.#nonDifferentiable = [];
    };
  }

  /** @internal */
  constructor(args: readonly unknown[]) {
    this.needsInputGrad = args.map((value) => Tensor.isTensor(value) && value.requiresGrad);
  }

  /** Keeps arguments and outputs for `backward`; what is saved otherwise is not checked against changes in place. */
  saveForBackward(...tensors: (Tensor | null)[]): void {
    this.#toSave = tensors;
  }

  /**
   * What `saveForBackward` was given. Throws when a tensor was changed in place since, or when a backward pass without
   * `retainGraph` released it.
   */
  get savedTensors(): Tensor[] {
    if (this.#node === undefined) return [...this.#toSave] as Tensor[];
    enterContext();
    return ownArray(native.savedTensors(this.#node)).map(liftTensor) as Tensor[];
  }

  /** Names the arguments that `forward` changed in place; each must be an output too. */
  markDirty(...tensors: Tensor[]): void {
    this.#dirty = tensors;
  }

  /** Names outputs that have no gradient; `backward` gets zeros for them. */
  markNonDifferentiable(...tensors: Tensor[]): void {
    this.#nonDifferentiable = tensors;
  }

  /** False has `backward` get null instead of zeros where an output has no gradient. Default: true. */
  setMaterializeGrads(value: boolean): void {
    this.#materializeGrads = value;
  }
}

/** The first argument of a Function's `forward` and `backward`, with the fields that they keep on it. */
export type FunctionContext<Fields extends object = object> = Context & Fields;

/** What `backward` returns: a gradient for each argument of `apply`, null for those that have none. */
export type FunctionGradients = Tensor | null | readonly (Tensor | null | undefined)[];

interface FunctionClass<Args extends unknown[], Result> {
  readonly name: string;
  forward(ctx: never, ...args: Args): Result;
  backward(ctx: never, ...gradOutputs: never[]): FunctionGradients;
}

/**
 * An operator with a derivative of its own, as `torch.autograd.Function`. A subclass has static `forward` and
 * `backward`; `apply` runs `forward` without recording and gives its tensors a node that calls `backward`.
 *
 * Tensors among the arguments take part when they are arguments themselves, not inside lists or objects. `forward`
 * returns a value or an array of several.
 *
 * @example
 * import { autograd, tensor, type Tensor } from 'aiforge';
 * class Cube extends autograd.Function {
 *   static forward(ctx: autograd.FunctionContext, x: Tensor): Tensor {
 *     ctx.saveForBackward(x);
 *     return x.pow(3);
 *   }
 *   static backward(ctx: autograd.FunctionContext, grad: Tensor): Tensor {
 *     const [x] = ctx.savedTensors;
 *     return grad.mul(x!.square()).mul(3);
 *   }
 * }
 * const x = tensor([2], { dtype: 'float32', requiresGrad: true });
 * Cube.apply(x).backward();
 * x.grad?.tolist(); // [12]
 */
export abstract class AutogradFunction {
  /** Runs `forward` on the arguments; the results are recorded for `backward`. */
  static apply<Args extends unknown[], Result>(this: FunctionClass<Args, Result>, ...args: Args): Result {
    return applyFunction(this, args);
  }
}

function applyFunction<Args extends unknown[], Result>(type: FunctionClass<Args, Result>, args: Args): Result {
  refuseInTransforms(`${type.name}.apply()`, 'write it with operators, or');
  for (const method of ['forward', 'backward'] as const) {
    if (typeof type[method] === 'function') continue;
    throw new AiforgeError('INVALID_ARGUMENT', `${type.name}.apply: ${type.name} has no static ${method}().`);
  }
  const context = new Context(args);
  const backward = backwardOf(type, context);
  let result: unknown;
  let outputs: readonly unknown[] = [];
  enterContext();
  const handles = native.applyFunction(
    `${type.name}Backward`,
    handlesOrNone(args.map((value) => (Tensor.isTensor(value) ? value : null))),
    () => {
      result = noGrad(() => type.forward(context as never, ...args));
      if (isPromise(result)) refuseResult(`${type.name}.forward`, result);
      outputs = Array.isArray(result) ? result : [result];
      enterContext(); // the results belong to the caller's scope
      return Context.forwardOf(context, outputs);
    },
    backward,
    (node) => Context.attach(context, node),
  );
  const wrapped = ownArray(handles).map((handle, i) =>
    handle === null || handle < 0 ? outputs[i] : wrapHandle(handle),
  );
  tie(wrapped.filter(Tensor.isTensor), backward);
  return (Array.isArray(result) ? wrapped : wrapped[0]) as Result;
}

// Made apart: a closure of `applyFunction` would keep the results, and they keep the graph that keeps the closure.
function backwardOf(type: FunctionClass<never, unknown>, context: Context): EngineCallback {
  return onEngineCall((gradients) => runBackward(type, context, gradients));
}

function runBackward(type: FunctionClass<never, unknown>, context: Context, gradients: (Handle | null)[]): Handles {
  const result: unknown = type.backward(context as never, ...(gradients.map(liftTensor) as never[]));
  const results = (Array.isArray(result) ? result : [result]) as (Tensor | null | undefined)[];
  for (const each of results) {
    if (each !== null && each !== undefined && !Tensor.isTensor(each)) refuseResult(`${type.name}.backward`, each);
  }
  return handlesOrNone(results);
}

function liftTensor(handle: Handle | null): Tensor | null {
  return handle === null ? null : wrapHandle(handle);
}
