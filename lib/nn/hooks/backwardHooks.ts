import { AiforgeError } from '../../errors.js';
import { AutogradFunction, type FunctionContext } from '../../autograd/function.js';
import { isGradEnabled } from '../../autograd/modes.js';
import { logger } from '../../log.js';
import { refuseResult } from '../../tensor/autograd/engine.js';
import { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';

/** The gradients of a module's arguments or results; null for what is no tensor and what got no gradient. */
export type ModuleGradients = readonly (Tensor | null)[];

export type BackwardHook = (
  module: Module,
  gradInput: ModuleGradients,
  gradOutput: ModuleGradients,
) => ModuleGradients | null | undefined | void;

export type BackwardPreHook = (
  module: Module,
  gradOutput: ModuleGradients,
) => ModuleGradients | null | undefined | void;

type Gradients = (Tensor | null)[];

interface Crossing {
  readonly materialize: boolean;
  readonly backward: (gradients: Gradients) => Gradients;
}

/** Gives its tensors on, and has `crossing` see their gradients. */
class BackwardHookFunction extends AutogradFunction {
  static forward(ctx: FunctionContext<{ crossing: Crossing }>, crossing: Crossing, ...tensors: Tensor[]): Tensor[] {
    ctx.crossing = crossing;
    ctx.setMaterializeGrads(crossing.materialize);
    ctx.markNonDifferentiable(...tensors.filter((tensor) => !tensor.requiresGrad));
    return tensors;
  }

  static backward(ctx: FunctionContext<{ crossing: Crossing }>, ...gradients: Gradients): Gradients {
    return [null, ...ctx.crossing.backward(gradients)];
  }
}

/** Which of some values are the tensors that a hook sees; null where none requires a gradient. */
type Places = readonly number[] | null;

const spread = (places: readonly number[], gradients: Gradients, length: number): Gradients => {
  const all: Gradients = new Array<Tensor | null>(length).fill(null);
  places.forEach((place, i) => (all[place] = gradients[i]!));
  return all;
};

function checkLength(what: string, given: ModuleGradients, expected: ModuleGradients): ModuleGradients {
  const wanted = `nothing or an array of ${expected.length} gradients`;
  const isList: boolean = Array.isArray(given);
  if (!isList) refuseResult(what, given, wanted);
  if (given.length === expected.length) return given;
  throw new AiforgeError('INVALID_ARGUMENT', `${what}: expected ${wanted}, got ${given.length} of them.`);
}

/**
 * The backward hooks of one call of `forward`: the gradients of its results reach them by an identity behind it, those of
 * its arguments by an identity before it.
 */
export class BackwardHooks {
  private readonly module: Module;
  private readonly hooks: Iterable<BackwardHook>;
  private readonly preHooks: Iterable<BackwardPreHook>;
  private inputs: Places = null;
  private inputCount = 0;
  private gradOutput: ModuleGradients | null = null;

  constructor(module: Module, hooks: Iterable<BackwardHook>, preHooks: Iterable<BackwardPreHook>) {
    this.module = module;
    this.hooks = [...hooks];
    this.preHooks = [...preHooks];
  }

  watchInputs(args: readonly unknown[]): readonly unknown[] {
    const crossing = { materialize: true, backward: (gradients: Gradients) => this.onInputs(gradients) };
    const [values, places] = cross(args, crossing);
    this.inputs = places;
    this.inputCount = args.length;
    return values;
  }

  watchOutputs(result: unknown): unknown {
    const isList = Array.isArray(result);
    const outputs: readonly unknown[] = isList ? result : [result];
    if (!isList && !Tensor.isTensor(result)) {
      logger.warn(
        `${this.module.constructor.name}: its backward hooks see nothing, since forward gave neither a Tensor nor an array of them.`,
      );
    }
    // The places are known only after the identity was made, and needed only when gradients come.
    let places: Places = null;
    const { length } = outputs;
    const backward = (gradients: Gradients): Gradients => this.onOutputs(gradients, places!, length);
    const [values, found] = cross(outputs, { materialize: false, backward });
    places = found;
    return isList ? values : values[0];
  }

  private onInputs(gradients: Gradients): Gradients {
    const { gradOutput, inputs } = this;
    // Gradients that reach the arguments by another way than the results, as in a second derivative.
    if (gradOutput === null || inputs === null) return gradients;
    let gradInput: ModuleGradients = spread(inputs, gradients, this.inputCount);
    for (const hook of this.hooks) {
      const given = hook(this.module, gradInput, gradOutput);
      if (given !== null && given !== undefined) gradInput = checkLength('A full backward hook', given, gradInput);
    }
    this.gradOutput = null;
    return inputs.map((place) => gradInput[place]!);
  }

  private onOutputs(gradients: Gradients, places: readonly number[], length: number): Gradients {
    let gradOutput: ModuleGradients = spread(places, gradients, length);
    for (const hook of this.preHooks) {
      const given = hook(this.module, gradOutput);
      if (given !== null && given !== undefined) gradOutput = checkLength('A backward pre-hook', given, gradOutput);
    }
    if (this.inputs === null) this.callWithoutInputs(gradOutput);
    else this.gradOutput = gradOutput;
    return places.map((place) => gradOutput[place]!);
  }

  private callWithoutInputs(gradOutput: ModuleGradients): void {
    const none = new Array<null>(this.inputCount).fill(null);
    for (const hook of this.hooks) {
      const given = hook(this.module, none, gradOutput);
      if (given === null || given === undefined) continue;
      if (!Array.isArray(given)) refuseResult('A full backward hook', given, 'nothing');
      if (given.every((gradient) => gradient === null)) continue;
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'A full backward hook gave gradients for the inputs of a module where none requires a gradient.',
      );
    }
  }
}

/** The values with an identity before the tensors among them, where gradients are recorded. */
function cross(values: readonly unknown[], crossing: Crossing): [values: readonly unknown[], places: Places] {
  const places = values.flatMap((value, i) => (Tensor.isTensor(value) ? [i] : []));
  const tensors = places.map((place) => values[place] as Tensor);
  if (!isGradEnabled() || !tensors.some((tensor) => tensor.requiresGrad)) return [values, null];
  const crossed = [...values];
  BackwardHookFunction.apply(crossing, ...tensors).forEach((tensor, i) => (crossed[places[i]!] = tensor));
  return [crossed, places];
}
