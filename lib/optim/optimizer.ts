import { brand } from '../brand.js';
import { inspect } from 'node:util';

import { objectKind, boolean, func, optional } from '../kinds.js';
import { show, shown } from '../show.js';
import { nothing, signature } from '../signature.js';
import { native, type Handles } from '../native.js';
import { enableGrad, noGrad, setGradEnabled } from '../autograd/modes.js';
import { isThenable } from '../tensor/context/context.js';
import { keep, scope } from '../tensor/memory/scope.js';
import { handleOf, handlesOf, Tensor } from '../tensor/tensor.js';
import { GroupChecks } from './groupChecks.js';
import { Bucket, kinds, Watched, type ParameterState } from './bucket.js';
import {
  everyStepPostHook,
  everyStepPreHook,
  Hooks,
  stepHookTakes,
  type OptimizerHook,
  type OptimizerHookHandle,
  type StateDictHook,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from './hooks.js';
import { KnownParameters } from './knownParameters.js';
import { checkCapture, isCapturable } from './capturable.js';
import { hasChanged, type Plan } from './plan.js';
import { parametersKind, type OptimizerSignature } from './optimizerSignature.js';
import { reject, withDefaults } from './options.js';
import {
  groupsOf,
  parametersIn,
  type ParameterGroup,
  type ParameterGroupOptions,
  type Parameters,
} from './parameterGroups.js';
import { valueOf, type Scalar } from './scalars.js';
import { describeGroup, makeStateDict, readStateDict, type OptimizerStateDict } from './stateDict.js';

export { type ParameterGroup, type ParameterGroupOptions, type Parameters };

const optimizerTakes = signature({ params: parametersKind, defaults: objectKind });
const groupTakes = signature({ group: objectKind });

/** What every optimizer has. */
export interface OptimizerOptions {
  /** The learning rate: a number, or a Tensor of one element. */
  lr: Scalar;
}

const loadStateDictTakes = signature({ stateDict: objectKind });

const hookTakes = signature<{ prepend?: boolean }>({ hook: func() }, { prepend: boolean });

const stepTakes = signature({ closure: optional(func()) });

const zeroGradTakes = signature<{ setToNone?: boolean }>({}, { setToNone: boolean });

/**
 * The base of the optimizers: parameter groups, the state of each parameter, and one `step` for all. One of your own says
 * how the parameters of a bucket, which have gradients and one device and dtype, are updated. As `torch.optim.Optimizer`.
 *
 * @example
 * import { nn, ones, optim } from 'aiforge';
 * class SignSGD extends optim.Optimizer {
 *   checkOptions() {}
 *   initialState() {
 *     return {};
 *   }
 *   update({ lr }, { parameters }) {
 *     for (const parameter of parameters) parameter.sub_(parameter.grad.sign(), { alpha: lr });
 *   }
 * }
 * const weight = new nn.Parameter(ones([2]));
 * const optimizer = new SignSGD([weight], { lr: 0.5 });
 * weight.mul(3).sum().backward();
 * optimizer.step();
 * weight.tolist(); // [0.5, 0.5]
 */
export abstract class Optimizer<Options extends OptimizerOptions = OptimizerOptions> {
  readonly defaults: Options;
  readonly paramGroups: ParameterGroup<Options>[] = [];
  /** What is remembered of each parameter, from its first step on. Change it only through `loadStateDict`. */
  readonly state = new Map<Tensor, ParameterState>();
  /** @internal Whether `step` was called since a learning-rate scheduler began to watch. */
  hasStepped = false;
  /** Options that Python writes as floats, whole or not. */
  protected readonly floats: readonly string[] = [];
  /** State that is one number for each parameter, held as a tensor. */
  protected readonly counters: readonly string[] = ['step'];
  /** Whether the other state has the parameters' shapes. */
  protected readonly hasStateLikeParameters: boolean = true;
  /** What to take for sparse gradients; null where they are supported. */
  protected readonly sparseAdvice: string | null = '';
  readonly #checks: GroupChecks;
  readonly #plans = new Map<object, Plan>();
  readonly #stepPreHooks = new Hooks<StepPreHook>();
  readonly #stepPostHooks = new Hooks<StepPostHook>();
  readonly #stateDictPreHooks = new Hooks<OptimizerHook>();
  readonly #stateDictPostHooks = new Hooks<StateDictHook>();
  readonly #loadPreHooks = new Hooks<StateDictHook>();
  readonly #loadPostHooks = new Hooks<OptimizerHook>();
  readonly #known = new KnownParameters(this.paramGroups);
  #all: Handles | undefined;

  constructor(params: Parameters | Iterable<ParameterGroupOptions<Options>>, defaults: Options) {
    optimizerTakes.check(new.target.name, arguments);
    for (const method of ['checkOptions', 'initialState', 'update'] as const) {
      if (typeof this[method] === 'function') continue;
      reject(
        `${new.target.name} extends Optimizer and must have a method ${method}(); see the example of optim.Optimizer.`,
      );
    }
    this.checkOptions(defaults);
    this.defaults = defaults;
    this.#checks = new GroupChecks(new.target.name, Object.keys(defaults), this.signatures());
    for (const group of groupsOf<Options>(new.target.name, [...params])) this.addParamGroup(group);
  }

  /** @internal What it takes; null for an optimizer of a user's own, whose options are what its defaults have. */
  protected signatures(): OptimizerSignature | null {
    return null;
  }

  /** Throws INVALID_ARGUMENT for option values that make no sense. */
  protected abstract checkOptions(options: Options): void;

  /** Updates the parameters of a bucket from their gradients; runs without recording, in a scope of its own. */
  protected abstract update(group: ParameterGroup<Options>, bucket: Bucket): void;

  /**
   * Makes the state that a parameter needs from its first step on. What is to last is taken out of the scope by `keep`; the
   * counters stay in the current scope.
   */
  protected abstract initialState(group: ParameterGroup<Options>, parameter: Tensor): ParameterState;

  /** Throws INVALID_ARGUMENT for a parameter that cannot be optimized. */
  protected checkParameter(_parameter: Tensor): void {
    // Any will do.
  }

  /** What parameters of one bucket must have in common beside device and dtype. */
  protected historyOf(state: ParameterState): string {
    return this.counters.map((name) => describeCounter(state[name])).join(' ');
  }

  /** Adds parameters with options of their own. */
  addParamGroup(options: ParameterGroupOptions<Options>): void {
    groupTakes.check('addParamGroup', arguments);
    const { params: given, ...own } = options;
    this.#checks.checkOptions(own);
    if (!Tensor.isTensor(given) && !parametersKind.accepts(given)) {
      reject(`addParamGroup: params must be ${parametersKind.expected}, got ${show(given)}.`);
    }
    const listed = parametersIn(given);
    const { params } = listed;
    const group = { ...withDefaults(this.defaults, own as object), ...listed } as unknown as ParameterGroup<Options>;
    // The others are as the first.
    const [first] = this.paramGroups;
    if (first !== undefined && (first.paramNames === undefined) !== (group.paramNames === undefined)) {
      reject('Either all parameter groups have names or none.');
    }
    this.#checkParameters(params);
    this.checkOptions(group);
    params.forEach(keep);
    this.paramGroups.push(group);
    this.#known.add(params);
    this.#all = undefined;
  }

  #checkParameters(params: readonly Tensor[]): void {
    this.#checks.checkTensors(params);
    const known = this.#known.current();
    const seen = new Set<Tensor>();
    for (const parameter of params) {
      if (!parameter.isLeaf && !this.#isDifferentiable && !native.retainsGrad(handleOf(parameter)))
        reject(`A parameter of an optimizer must be a leaf, got the result of ${parameter.gradFn}.`);
      if (known.has(parameter) || seen.has(parameter))
        reject(`A parameter of shape [${parameter.shape.join(', ')}] is given twice.`);
      seen.add(parameter);
      this.checkParameter(parameter);
    }
  }

  get #isDifferentiable(): boolean {
    return (this.defaults as { differentiable?: boolean }).differentiable === true;
  }

  /** Drops the gradients of all parameters, or with `setToNone: false` fills them with zeros. */
  zeroGrad(options?: { setToNone?: boolean }): void {
    if (arguments.length > 0) zeroGradTakes.check('zeroGrad', arguments);
    const setToNone = options?.setToNone ?? true;
    this.#all ??= handlesOf(this.paramGroups.flatMap((group) => group.params));
    native.zeroGradients(this.#all, setToNone);
  }

  /** Updates every parameter that has a gradient. With a closure, runs it first and returns what it gives. */
  step(): void;
  step<T>(closure: () => T): T;
  step<T>(closure?: () => T): T | undefined {
    if (arguments.length > 0) stepTakes.check(`${this.constructor.name}.step`, arguments);
    this.hasStepped = true;
    this.#checks.checkChanges(this.paramGroups);
    if (
      this.#stepPreHooks.isEmpty &&
      this.#stepPostHooks.isEmpty &&
      everyStepPreHook.isEmpty &&
      everyStepPostHook.isEmpty
    ) {
      return this.runStep(closure);
    }
    return this.#stepWithHooks(closure);
  }

  #stepWithHooks<T>(closure: (() => T) | undefined): T | undefined {
    let args: StepArguments = closure === undefined ? [] : [closure];
    for (const hooks of [everyStepPreHook, this.#stepPreHooks]) {
      for (const hook of hooks) args = hook(this, args) ?? args;
    }
    const loss = this.runStep(args[0] as (() => T) | undefined);
    for (const hooks of [this.#stepPostHooks, everyStepPostHook]) for (const hook of hooks) hook(this, args);
    return loss;
  }

  /** The step itself, between its hooks. */
  protected runStep<T>(closure: (() => T) | undefined): T | undefined {
    if ('capturable' in this.defaults) checkCapture(this.constructor.name, this.paramGroups);
    const loss = closure === undefined ? undefined : enableGrad(closure);
    if (isThenable(loss)) {
      reject(
        `${this.constructor.name}.step: the closure returned a promise, and the gradients are not there yet: await it first, then call step().`,
      );
    }
    scope(this.#stepInMode);
    return loss;
  }

  readonly #stepInMode = (): void => setGradEnabled(this.#isDifferentiable, this.#updateAll);

  readonly #updateAll = (): void => {
    for (const group of this.paramGroups) {
      const buckets = this.#bucketsOf(group);
      for (const bucket of buckets) this.update(group, bucket);
    }
  };

  // With the gradients of this step.
  #bucketsOf(group: ParameterGroup<Options>): Bucket[] {
    let plan = this.#plans.get(group);
    if (plan?.parameters !== group.params || plan.isCapturable !== isCapturable(group)) {
      plan = { parameters: group.params, isCapturable: isCapturable(group), buckets: undefined, idle: undefined };
      this.#plans.set(group, plan);
    }
    if (plan.buckets === undefined || hasChanged(plan)) this.#fill(group, plan);
    return plan.buckets!;
  }

  #fill(group: ParameterGroup<Options>, plan: Plan): void {
    const { parameters, isCapturable: areApart } = plan;
    const gradientKinds = new Uint8Array(parameters.length);
    const all = new Watched(handlesOf(parameters), gradientKinds);
    all.collect();
    const buckets = new Map<string, number[]>();
    parameters.forEach((parameter, i) => {
      const kind = gradientKinds[i]!;
      if (kind === kinds.none) return;
      const state = this.#stateOf(group, parameter, kind);
      const name = `${parameter.device} ${parameter.dtype} ${kind} ${areApart ? '' : this.historyOf(state)}`;
      const indices = buckets.get(name);
      if (indices === undefined) buckets.set(name, [i]);
      else indices.push(i);
    });
    plan.buckets = Array.from(buckets.values(), (indices) => {
      return new Bucket(
        indices.map((i) => parameters[i]!),
        this.state,
        gradientKinds[indices[0]!]!,
        Float64Array.from(indices, (i) => all.gradients[i]!),
        { names: this.counters, areApart },
      );
    });
    const idle = parameters.filter((_, i) => gradientKinds[i] === kinds.none);
    plan.idle = idle.length === 0 ? undefined : new Watched(handlesOf(idle), new Uint8Array(idle.length));
  }

  #stateOf(group: ParameterGroup<Options>, parameter: Tensor, kind: number): ParameterState {
    if (kind !== kinds.strided && this.sparseAdvice !== null) {
      reject(`${this.constructor.name} does not support sparse gradients${this.sparseAdvice}.`);
    }
    let state = this.state.get(parameter);
    if (state === undefined || Object.keys(state).length === 0) {
      if ((group as { fused?: boolean | null }).fused === true) checkFusedParameter(parameter);
      state = noGrad(() => this.initialState(group, parameter));
      this.state.set(parameter, state);
    }
    return state;
  }

  /** Makes the next step read the state anew. */
  protected forgetBuckets(): void {
    this.#plans.clear();
  }

  /** Registers a hook that runs before each step, and may return other arguments for it. */
  registerStepPreHook(hook: StepPreHook): OptimizerHookHandle {
    stepHookTakes.check('registerStepPreHook', arguments);
    return this.#stepPreHooks.add(hook);
  }

  /** Registers a hook that runs after each step. */
  registerStepPostHook(hook: StepPostHook): OptimizerHookHandle {
    stepHookTakes.check('registerStepPostHook', arguments);
    return this.#stepPostHooks.add(hook);
  }

  /** Registers a hook that runs before `stateDict`; with `prepend` before those that are there. */
  registerStateDictPreHook(hook: OptimizerHook, options: { prepend?: boolean } = {}): OptimizerHookHandle {
    hookTakes.check('registerStateDictPreHook', arguments);
    const { prepend = false } = options;
    return this.#stateDictPreHooks.add(hook, prepend);
  }

  /** Registers a hook that gets the result of `stateDict`, and may return another. */
  registerStateDictPostHook(hook: StateDictHook, options: { prepend?: boolean } = {}): OptimizerHookHandle {
    hookTakes.check('registerStateDictPostHook', arguments);
    const { prepend = false } = options;
    return this.#stateDictPostHooks.add(hook, prepend);
  }

  /** Registers a hook that gets what `loadStateDict` is to load, and may return another. */
  registerLoadStateDictPreHook(hook: StateDictHook, options: { prepend?: boolean } = {}): OptimizerHookHandle {
    hookTakes.check('registerLoadStateDictPreHook', arguments);
    const { prepend = false } = options;
    return this.#loadPreHooks.add(hook, prepend);
  }

  /** Registers a hook that runs after `loadStateDict`. */
  registerLoadStateDictPostHook(hook: OptimizerHook, options: { prepend?: boolean } = {}): OptimizerHookHandle {
    hookTakes.check('registerLoadStateDictPostHook', arguments);
    const { prepend = false } = options;
    return this.#loadPostHooks.add(hook, prepend);
  }

  /** State, its tensors themselves, and options in PyTorch's form: Python loads it, and what Python saved can be loaded. */
  stateDict(): OptimizerStateDict {
    nothing.check('stateDict', arguments);
    for (const hook of this.#stateDictPreHooks) hook(this);
    let result = makeStateDict(this.paramGroups, this.state);
    for (const hook of this.#stateDictPostHooks) result = hook(this, result) ?? result;
    return result;
  }

  /**
   * Takes over copies of the state and the options of a state dict, from here or from Python.
   *
   * @throws AiforgeError STATE_DICT_MISMATCH when its groups do not fit; nothing is changed then.
   */
  loadStateDict(stateDict: OptimizerStateDict): void {
    loadStateDictTakes.check('loadStateDict', arguments);
    let given: OptimizerStateDict = { ...stateDict };
    for (const hook of this.#loadPreHooks) given = hook(this, given) ?? given;
    const { constructor, counters, hasStateLikeParameters } = this;
    const kind = { name: constructor.name, counters, hasStateLikeParameters };
    const { state, options } = readStateDict(given, this.paramGroups, kind);
    this.state.clear();
    for (const [parameter, own] of state) this.state.set(parameter, own);
    this.paramGroups.forEach((group, i) => Object.assign(group, options[i]));
    this.forgetBuckets();
    for (const hook of this.#loadPostHooks) hook(this);
  }

  toString(): string {
    const groups = this.paramGroups.map((group, i) => `Parameter Group ${i}\n${describeGroup(group, this.floats)}`);
    return `${this.constructor.name} (\n${groups.join('\n\n')}\n)`;
  }

  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal */
  [shown](): string {
    return this.constructor.name;
  }
}

brand(Optimizer, 'Optimizer');

function describeCounter(counter: ParameterState[string] | undefined): string {
  return Tensor.isTensor(counter) ? `${valueOf(counter)} ${counter.dtype} ${counter.device}` : '';
}

function checkFusedParameter(parameter: Tensor): void {
  if (/^(float|bfloat)/.test(parameter.dtype)) return;
  reject(`fused: the parameters must be floating point Tensors, got one of ${parameter.dtype}.`);
}
