import type { Optimizer } from './optimizer.js';
import type { OptimizerStateDict } from './stateDict.js';
import { func } from '../kinds.js';
import { HookOrder } from '../nn/hooks/hookOrder.js';
import { isPromise } from '../realms.js';
import { nothing, signature } from '../signature.js';
import { refuseResult } from '../tensor/autograd/engine.js';

/** What `step` is called with: nothing, or a closure. */
export type StepArguments = [closure?: () => unknown];

/** Runs before a step, and may give it other arguments. */
export type StepPreHook = (optimizer: Optimizer, args: StepArguments) => StepArguments | null | undefined | void;
/** Runs after a step. */
export type StepPostHook = (optimizer: Optimizer, args: StepArguments) => void;
/** Runs before a state dict is made, or after one was loaded. */
export type OptimizerHook = (optimizer: Optimizer) => void;
/** Gets a state dict that was made or is to be loaded, and may return another in its place. */
export type StateDictHook = (
  optimizer: Optimizer,
  stateDict: OptimizerStateDict,
) => OptimizerStateDict | null | undefined | void;

/**
 * What registering a hook gives: `remove()`, or the end of a `using` block, takes the hook away. As
 * `torch.utils.hooks.RemovableHandle`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(2, 1).parameters(), { lr: 0.1 });
 * let steps = 0;
 * const handle = optimizer.registerStepPostHook(() => ++steps);
 * optimizer.step();
 * handle.remove();
 * optimizer.step();
 * steps; // 1
 */
export class OptimizerHookHandle implements Disposable {
  readonly #remove: () => void;

  /** @internal */
  constructor(remove: () => void) {
    this.#remove = remove;
  }

  remove(): void {
    nothing.check('remove', arguments);
    this.#remove();
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

type AnyHook = (...args: never[]) => unknown;

/** A hook that is refused when it gives a Promise, which nobody would await. */
function atOnce<Hook extends AnyHook>(hook: Hook): Hook {
  const checked = (...args: never[]): unknown => {
    const given = hook(...args);
    if (isPromise(given)) refuseResult("An optimizer's hook", given);
    return given;
  };
  return checked as Hook;
}

/** @internal Hooks in the order in which they run. */
export class Hooks<Hook extends AnyHook> {
  readonly #hooks = new HookOrder<Hook>();

  get isEmpty(): boolean {
    return this.#hooks.size === 0;
  }

  add(hook: Hook, prepend = false): OptimizerHookHandle {
    // A function of its own, where the same hook is added twice.
    const own = atOnce(hook);
    this.#hooks.add(own, prepend);
    return new OptimizerHookHandle(() => this.#hooks.remove(own));
  }

  [Symbol.iterator](): Iterator<Hook> {
    return this.#hooks[Symbol.iterator]();
  }
}

/** @internal */
export const stepHookTakes = signature({ hook: func() });

/** @internal */
export const everyStepPreHook = new Hooks<StepPreHook>();
/** @internal */
export const everyStepPostHook = new Hooks<StepPostHook>();

/**
 * Registers a hook that runs before each step of every optimizer. As
 * `torch.optim.optimizer.register_optimizer_step_pre_hook`.
 *
 * @example
 * import { nn, ones, optim } from 'aiforge';
 * const handle = optim.registerOptimizerStepPreHook(({ paramGroups }) => {
 *   for (const { params } of paramGroups) nn.utils.clipGradValue_(params, 1);
 * });
 * const weight = new nn.Parameter(ones([2]));
 * weight.mul(8).sum().backward();
 * new optim.SGD([weight], { lr: 0.5 }).step();
 * weight.tolist(); // [0.5, 0.5]
 * handle.remove();
 */
export function registerOptimizerStepPreHook(hook: StepPreHook): OptimizerHookHandle {
  stepHookTakes.check('registerOptimizerStepPreHook', arguments);
  return everyStepPreHook.add(hook);
}

/**
 * Registers a hook that runs after each step of every optimizer. As
 * `torch.optim.optimizer.register_optimizer_step_post_hook`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const stepped = [];
 * const handle = optim.registerOptimizerStepPostHook((optimizer) => stepped.push(optimizer.constructor.name));
 * const model = new nn.Linear(2, 1);
 * new optim.SGD(model.parameters(), { lr: 0.1 }).step();
 * new optim.Adam(model.parameters()).step();
 * stepped; // ['SGD', 'Adam']
 * handle.remove();
 */
export function registerOptimizerStepPostHook(hook: StepPostHook): OptimizerHookHandle {
  stepHookTakes.check('registerOptimizerStepPostHook', arguments);
  return everyStepPostHook.add(hook);
}
