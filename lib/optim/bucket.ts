import { AiforgeError } from '../errors.js';
import { native, type Handle, type Handles } from '../native.js';
import { enterContext } from '../tensor/context/context.js';
import { stack, viewAsReal } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import { handleOf, handlesOf, Tensor } from '../tensor/tensor.js';
import * as ops from './operators.js';
import type { Scalar } from './scalars.js';

/** A value of an optimizer's state: tensors, for some optimizers numbers and lists. */
export type StateValue = Tensor | number | null | StateValue[];

/** What an optimizer remembers of one parameter, under PyTorch's names. */
export type ParameterState = Record<string, StateValue>;

/** The state that is one number for each parameter, and whether each is a tensor of its own that may differ from the others. */
export interface Counters {
  readonly names: readonly string[];
  readonly areApart: boolean;
}

/** How the addon tells gradients apart. */
export const kinds = { none: 0, strided: 1, sparse: 2, other: 3 } as const;

/** Parameters whose gradients are read together. */
export class Watched {
  readonly handles: Handles;
  /** The gradients of this step; -1 stands for none. */
  readonly gradients: Handles;
  readonly #kinds: Uint8Array;

  constructor(handles: Handles, kinds: Uint8Array, gradients: Handles = new Float64Array(handles.length)) {
    this.handles = handles;
    this.gradients = gradients;
    this.#kinds = kinds;
  }

  /** Reads the gradients; whether one has come, gone or become sparse. */
  collect(): boolean {
    enterContext();
    return native.collectGradients(this.handles, this.gradients, this.#kinds);
  }
}

/**
 * The parameters of a group that one call of each operator updates: they have gradients, one device, one dtype and the
 * same history. Handles never change, so they are read once and not at every step. `update` of an optimizer gets them.
 *
 * @example
 * import { keep, nn, ones, optim, zerosLike } from 'aiforge';
 * class Momentum extends optim.Optimizer {
 *   checkOptions() {}
 *   initialState(group, parameter) {
 *     return { momentum: keep(zerosLike(parameter)) };
 *   }
 *   update({ lr }, bucket) {
 *     for (const [i, parameter] of bucket.parameters.entries()) {
 *       const momentum = bucket.tensor('momentum', i).mul_(0.5).add_(parameter.grad);
 *       parameter.sub_(momentum, { alpha: lr });
 *     }
 *   }
 * }
 * const weight = new nn.Parameter(ones([2]));
 * const optimizer = new Momentum([weight], { lr: 0.5 });
 * weight.sum().backward();
 * for (let i = 0; i < 2; ++i) optimizer.step();
 * weight.tolist(); // [-0.25, -0.25]
 */
export class Bucket extends Watched {
  readonly parameters: readonly Tensor[];
  readonly isComplex: boolean;
  readonly isSparse: boolean;
  /** On a GPU, where PyTorch prefers the operators on lists. */
  readonly isAccelerated: boolean;
  readonly #isReduced: boolean;
  readonly #areCountersApart: boolean;
  readonly #counters: readonly string[];
  readonly #states: readonly ParameterState[];
  readonly #stateHandles = new Map<string, Handles>();
  readonly #columns = new Map<string, Tensor>();

  constructor(
    parameters: readonly Tensor[],
    states: ReadonlyMap<Tensor, ParameterState>,
    kind: number,
    gradients: Handles,
    counters: Counters,
  ) {
    super(handlesOf(parameters), new Uint8Array(parameters.length).fill(kind), gradients);
    this.parameters = parameters;
    this.#areCountersApart = counters.areApart;
    this.#states = parameters.map((parameter) => states.get(parameter) ?? {});
    this.isComplex = parameters[0]!.dtype.startsWith('complex');
    this.#isReduced = /^(float16|bfloat16)$/.test(parameters[0]!.dtype);
    this.isSparse = kind === kinds.sparse;
    this.isAccelerated = /^(cuda|xpu|mtia)/.test(parameters[0]!.device);
    this.#counters = counters.names.filter((name) => this.has(name));
    for (const name of this.#counters) this.#hold(name);
  }

  // A graph goes on changing the tensors that it was captured with: those of the state stay then.
  #hold(name: string): void {
    if (!this.#areCountersApart) this.column(name);
    else for (const state of this.#states) keep(tensorIn(state, name));
  }

  /** Where the numbers that it counts with are. */
  get counterDevices(): readonly string[] {
    return this.#counters.flatMap((name) => this.#states.map((state) => tensorIn(state, name).device));
  }

  has(name: string): boolean {
    return this.#states.every((state) => state[name] !== undefined && state[name] !== null);
  }

  /** The handles of the state `name` of every parameter. */
  state(name: string): Handles {
    let handles = this.#stateHandles.get(name);
    if (handles === undefined) {
      handles = handlesOf(this.#states.map((state) => tensorIn(state, name)));
      this.#stateHandles.set(name, handles);
    }
    return handles;
  }

  /** The state `name` of the i-th parameter. */
  tensor(name: string, i: number): Tensor {
    return tensorIn(this.#states[i]!, name);
  }

  /** The same as pairs of real numbers where the parameters are complex. */
  realState(name: string): Handles {
    return this.real(this.state(name));
  }

  realTensor(name: string, i: number): Tensor {
    return this.asReal(this.tensor(name, i));
  }

  realParameter(i: number): Tensor {
    return this.asReal(this.parameters[i]!);
  }

  /** Pairs of real numbers, on the same memory, where the parameters are complex. */
  asReal(tensor: Tensor): Tensor {
    return this.isComplex ? viewAsReal(tensor) : tensor;
  }

  real(handles: Handles): Handles {
    return this.isComplex ? ops.viewAsReal(handles) : handles;
  }

  /**
   * One tensor of the numbers that the parameters have as state `name`, such as their steps; the state becomes views of
   * it. All are equal, and one operator changes them all.
   */
  column(name: string): Tensor {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = keep(stack(this.#states.map((state) => tensorIn(state, name))));
      this.#columns.set(name, column);
      this.#states.forEach((state, i) => {
        state[name] = keep(column!.select(0, i));
      });
      this.#stateHandles.delete(name);
    }
    return column;
  }

  /** Multiplies that number; loaded ones may be in 16 bits. */
  scaleColumn(name: string, factor: number, isOnLists: boolean): void {
    this.scale_(handlesOf([this.column(name)]), factor, isOnLists);
  }

  /** The number that all parameters have as state `name`. */
  value(name: string): number {
    return native.item(this.state(name)[0]!) as number;
  }

  /** Multiplies by a number, as PyTorch does one by one or on lists. */
  scale_(handles: Handles, factor: Scalar, isOnLists: boolean): void {
    if (typeof factor !== 'number') ops.multiplyTensor_(handles, handleOf(factor));
    else if (this.#isReduced && !isOnLists) ops.scale_(handles, factor);
    else ops.multiply_(handles, factor);
  }

  /** Counts a step; how many there have been. */
  countStep(): number {
    this.addStep();
    return this.value('step');
  }

  addStep(): void {
    if (this.#areCountersApart) ops.addScalar_(this.state('step'), 1);
    else ops.run(addOne, handleOf(this.column('step')), 1);
  }

  /** Counts a step no more where it was skipped: where `foundInf` is 1 and not 0, without reading it. */
  takeStepBack(foundInf: Handle): void {
    if (this.#areCountersApart)
      ops.subtractList_(this.state('step'), new Float64Array(this.handles.length).fill(foundInf), 1);
    else ops.run(subtract, handleOf(this.column('step')), foundInf);
  }

  /**
   * Parameters and gradients as an update takes them: negated to ascend, with weight decay, complex ones as pairs of real
   * numbers, before the weight decay or after it as PyTorch does, since it rounds otherwise.
   */
  prepare(maximize: boolean, weightDecay: number, isRealFirst: boolean): { params: Handles; gradients: Handles } {
    let params: Handles = this.handles;
    let gradients: Handles = this.gradients;
    if (isRealFirst) [params, gradients] = [this.real(params), this.real(gradients)];
    if (maximize) gradients = ops.negate(gradients);
    if (weightDecay !== 0) gradients = ops.addList(gradients, params, weightDecay);
    return isRealFirst ? { params, gradients } : { params: this.real(params), gradients: this.real(gradients) };
  }
}

const addOne = native.registerOperators(['add_.Scalar', 'sub_.Tensor']);
const subtract = addOne + 1;

function tensorIn(state: ParameterState, name: string): Tensor {
  const value = state[name];
  if (Tensor.isTensor(value)) return value;
  throw new AiforgeError(
    'STATE_DICT_MISMATCH',
    `A parameter has no state '${name}': an option that needs it was switched on after the first step, or the loaded state lacks it.`,
  );
}
