import type { Optimizer } from './optimizer.js';
import type { OptimizerStateDict } from './stateDict.js';

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

/** What registering a hook gives: `remove()`, or the end of a `using` block, takes the hook away. */
export class OptimizerHookHandle implements Disposable {
  readonly #remove: () => void;

  /** @internal */
  constructor(remove: () => void) {
    this.#remove = remove;
  }

  remove(): void {
    this.#remove();
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** @internal Hooks in the order in which they run. */
export class Hooks<Hook> {
  #hooks: readonly { readonly hook: Hook }[] = [];

  get isEmpty(): boolean {
    return this.#hooks.length === 0;
  }

  add(hook: Hook, prepend = false): OptimizerHookHandle {
    const entry = { hook };
    this.#hooks = prepend ? [entry, ...this.#hooks] : [...this.#hooks, entry];
    return new OptimizerHookHandle(() => {
      this.#hooks = this.#hooks.filter((other) => other !== entry);
    });
  }

  *[Symbol.iterator](): Generator<Hook> {
    for (const { hook } of this.#hooks) yield hook;
  }
}

/** @internal */
export const everyStepPreHook = new Hooks<StepPreHook>();
/** @internal */
export const everyStepPostHook = new Hooks<StepPostHook>();

/** Registers a hook that runs before each step of every optimizer. */
export function registerOptimizerStepPreHook(hook: StepPreHook): OptimizerHookHandle {
  return everyStepPreHook.add(hook);
}

/** Registers a hook that runs after each step of every optimizer. */
export function registerOptimizerStepPostHook(hook: StepPostHook): OptimizerHookHandle {
  return everyStepPostHook.add(hook);
}
