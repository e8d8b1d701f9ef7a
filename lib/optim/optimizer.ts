import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { native, type Handles } from '../native.js';
import { enableGrad, noGrad } from '../autograd/modes.js';
import { enterContext } from '../tensor/context.js';
import { keep, scope } from '../tensor/scope.js';
import { handlesOf, Tensor } from '../tensor/tensor.js';
import { Bucket, type ParameterState } from './bucket.js';
import { withDefaults } from './options.js';
import { describeGroup, packGroup, readStateDict, type OptimizerStateDict } from './stateDict.js';

/** Parameters, or named ones as `module.namedParameters()` gives them. */
export type Parameters = Iterable<Tensor> | Iterable<readonly [name: string, parameter: Tensor]>;

/** Parameters with options of their own; those left out are the optimizer's. */
export type ParameterGroupOptions<Options> = Partial<Options> & { params: Tensor | Parameters };

/** Parameters and the options that they are updated with; options may be changed between steps. */
export type ParameterGroup<Options> = Options & { params: readonly Tensor[]; paramNames?: readonly string[] };

interface Plan {
  readonly parameters: readonly Tensor[];
  readonly handles: Handles;
  readonly hasGradient: boolean[];
  buckets: Bucket[] | undefined;
}

function isGroup<Options>(item: unknown): item is ParameterGroupOptions<Options> {
  return typeof item === 'object' && item !== null && 'params' in item;
}

function reject(message: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', message);
}

/** What every optimizer has. */
export interface OptimizerOptions {
  /** The learning rate. */
  lr: number;
}

/** The base of the optimizers: parameter groups, the state of each parameter, and one `step` for all. */
export abstract class Optimizer<Options extends OptimizerOptions = OptimizerOptions> {
  readonly defaults: Options;
  readonly paramGroups: ParameterGroup<Options>[] = [];
  /** What is remembered of each parameter, from its first step on. Change it only through `loadStateDict`. */
  readonly state = new Map<Tensor, ParameterState>();
  /** @internal Whether `step` was called since a learning-rate scheduler began to watch. */
  hasStepped = false;
  readonly #plans = new Map<object, Plan>();
  #all: Handles | undefined;

  constructor(params: Parameters | Iterable<ParameterGroupOptions<Options>>, defaults: Options) {
    if (Tensor.isTensor(params)) reject('An optimizer takes a list of parameters or of groups, got a Tensor.');
    this.defaults = defaults;
    const items: unknown[] = [...params];
    if (items.length === 0) reject('The optimizer got an empty list of parameters.');
    const groups = isGroup(items[0]) ? items : [{ params: items }];
    for (const group of groups) this.addParamGroup(group as ParameterGroupOptions<Options>);
  }

  /** Throws INVALID_ARGUMENT for option values that make no sense. */
  protected abstract checkOptions(options: Options): void;

  /** Updates the parameters of a bucket from their gradients; runs without recording, in a scope of its own. */
  protected abstract update(group: ParameterGroup<Options>, bucket: Bucket): void;

  /** Makes the state that a parameter needs from its first step on. */
  protected abstract initialState(group: ParameterGroup<Options>, parameter: Tensor): ParameterState;

  /** What parameters of one bucket must have in common beside device and dtype. */
  protected abstract historyOf(state: ParameterState): number;

  /** Adds parameters with options of their own. */
  addParamGroup(options: ParameterGroupOptions<Options>): void {
    const { params: given, ...own } = options;
    const items: unknown[] = Tensor.isTensor(given) ? [given] : [...given];
    const named = items.filter((item) => Array.isArray(item)) as [string, Tensor][];
    if (named.length !== 0 && named.length !== items.length) reject('Either all parameters have names or none.');
    const params = (named.length === 0 ? items : named.map(([, parameter]) => parameter)) as Tensor[];
    const group = { ...withDefaults(this.defaults, own as object), params } as unknown as ParameterGroup<Options>;
    if (named.length !== 0) group.paramNames = named.map(([name]) => name);
    if (this.paramGroups.some((other) => (other.paramNames === undefined) !== (group.paramNames === undefined))) {
      reject('Either all parameter groups have names or none.');
    }
    this.#checkParameters(params);
    this.checkOptions(group);
    params.forEach(keep);
    this.paramGroups.push(group);
    this.#all = undefined;
  }

  #checkParameters(params: readonly Tensor[]): void {
    const seen = new Set(this.paramGroups.flatMap((group) => group.params));
    for (const parameter of params) {
      if (!Tensor.isTensor(parameter)) reject(`An optimizer takes Tensors, got ${inspect(parameter, { depth: 0 })}.`);
      if (!parameter.isLeaf)
        reject(`A parameter of an optimizer must be a leaf, got the result of ${parameter.gradFn}.`);
      if (seen.has(parameter)) reject(`A parameter of shape [${parameter.shape.join(', ')}] is given twice.`);
      seen.add(parameter);
    }
  }

  /** Drops the gradients of all parameters, or with `setToNone: false` fills them with zeros. */
  zeroGrad({ setToNone = true }: { setToNone?: boolean } = {}): void {
    this.#all ??= handlesOf(this.paramGroups.flatMap((group) => group.params));
    native.zeroGradients(this.#all, setToNone);
  }

  /** Updates every parameter that has a gradient. With a closure, runs it first and returns what it gives. */
  step(): void;
  step<T>(closure: () => T): T;
  step<T>(closure?: () => T): T | undefined {
    this.hasStepped = true;
    const loss = closure === undefined ? undefined : enableGrad(closure);
    scope(this.#stepWithoutGrad);
    return loss;
  }

  readonly #stepWithoutGrad = (): void => noGrad(this.#updateAll);

  readonly #updateAll = (): void => {
    for (const group of this.paramGroups) {
      const plan = this.#planOf(group);
      enterContext();
      const gradients = native.gradients(plan.handles);
      for (let i = 0; i < gradients.length; ++i) {
        const hasGradient = gradients[i] !== null;
        if (plan.hasGradient[i] === hasGradient) continue;
        plan.hasGradient[i] = hasGradient;
        plan.buckets = undefined;
      }
      plan.buckets ??= this.#fill(group, plan);
      for (const bucket of plan.buckets) {
        bucket.takeGradients(gradients);
        this.update(group, bucket);
      }
    }
  };

  #planOf(group: ParameterGroup<Options>): Plan {
    let plan = this.#plans.get(group);
    if (plan?.parameters !== group.params) {
      plan = { parameters: group.params, handles: handlesOf(group.params), hasGradient: [], buckets: undefined };
      this.#plans.set(group, plan);
    }
    return plan;
  }

  #fill(group: ParameterGroup<Options>, plan: Plan): Bucket[] {
    const buckets = new Map<string, number[]>();
    plan.parameters.forEach((parameter, i) => {
      if (!plan.hasGradient[i]) return;
      let state = this.state.get(parameter);
      if (state === undefined) {
        state = this.initialState(group, parameter);
        this.state.set(parameter, state);
      }
      const kind = `${parameter.device} ${parameter.dtype} ${this.historyOf(state)}`;
      const indices = buckets.get(kind);
      if (indices === undefined) buckets.set(kind, [i]);
      else indices.push(i);
    });
    return Array.from(buckets.values(), (indices) => {
      const bucket = new Bucket(plan.parameters, indices, this.state);
      bucket.steps = this.historyOf(this.state.get(bucket.parameters[0]!)!);
      return bucket;
    });
  }

  /** Makes the next step read the state anew. */
  protected forgetBuckets(): void {
    this.#plans.clear();
  }

  /** State and options in PyTorch's form: Python loads it, and what Python saved can be loaded. */
  stateDict(): OptimizerStateDict {
    const parameters = this.paramGroups.flatMap((group) => group.params);
    const state: OptimizerStateDict['state'] = {};
    parameters.forEach((parameter, i) => {
      const own = Object.entries(this.state.get(parameter) ?? {});
      if (own.length > 0) state[i] = Object.fromEntries(own.map(([name, tensor]) => [name, tensor.detach()]));
    });
    let first = 0;
    const groups = this.paramGroups.map((group) => {
      const packed = packGroup(group, first);
      first += group.params.length;
      return packed;
    });
    return { state, param_groups: groups };
  }

  /**
   * Takes over copies of the state and the options of a state dict, from here or from Python.
   *
   * @throws AiforgeError STATE_DICT_MISMATCH when its groups do not fit; nothing is changed then.
   */
  loadStateDict(stateDict: OptimizerStateDict): void {
    const { state, options } = readStateDict(stateDict, this.paramGroups, this.constructor.name);
    this.state.clear();
    for (const [parameter, own] of state) this.state.set(parameter, own);
    this.paramGroups.forEach((group, i) => Object.assign(group, options[i]));
    this.forgetBuckets();
  }

  toString(): string {
    const groups = this.paramGroups.map((group, i) => `Parameter Group ${i}\n${describeGroup(group)}`);
    return `${this.constructor.name} (\n${groups.join('\n')}\n)`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
