import { AiforgeError } from '../../errors.js';
import { isPromise } from '../../realms.js';
import { logger } from '../../log.js';
import { anything, boolean } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { refuseResult } from '../../tensor/autograd/engine.js';
import { BackwardHooks, type BackwardHook, type BackwardPreHook, type ModuleGradients } from './backwardHooks.js';
import {
  ModuleHookHandle,
  ModuleHooks,
  type AnyHook,
  type ForwardArguments,
  type ForwardHookOptions,
  type HookKind,
  type HookOptions,
} from './hookLists.js';
import type { Module } from '../module.js';
import { hooksOf, registry } from '../members/registry.js';

type ForwardPreHook = (module: Module, args: readonly unknown[]) => unknown;
type ForwardHook = (module: Module, args: readonly unknown[], output: unknown) => unknown;
type Forward = (this: Module, ...args: readonly unknown[]) => unknown;

const isGiven = (value: unknown): boolean => value !== null && value !== undefined;

// The property `forward` of every module that has hooks: one function, so that a copied module has its own hooks.
function forwardWithHooks(this: Module, ...args: unknown[]): unknown {
  return new HookedCall(this, args).run();
}

/** One call of a module's `forward` with its hooks. */
class HookedCall {
  private readonly module: Module;
  private readonly own: Forward | null;
  private args: readonly unknown[];
  private result: unknown = null;
  private readonly called = new Set<object>();

  constructor(module: Module, args: readonly unknown[]) {
    this.module = module;
    this.args = args;
    this.own = (module[registry].hooks?.ownForward?.value as Forward | undefined) ?? null;
  }

  run(): unknown {
    try {
      return this.runHooks();
    } catch (error) {
      this.runRemaining();
      throw error;
    }
  }

  private runHooks(): unknown {
    const { module } = this;
    const backward = hooksOf<BackwardHook>(module, 'backward')!;
    const backwardPre = hooksOf<BackwardPreHook>(module, 'backwardPre')!;
    for (const hook of hooksOf<ForwardPreHook>(module, 'forwardPre')!) {
      const given = hook(module, this.args);
      if (isPromise(given)) refuseResult('A forward pre-hook', given);
      if (isGiven(given)) this.args = Array.isArray(given) ? (given as unknown[]) : [given];
    }
    const hooks = backward.size + backwardPre.size === 0 ? null : new BackwardHooks(module, backward, backwardPre);
    if (hooks !== null) this.args = hooks.watchInputs(this.args);
    // Read now: a hook may have given the module another class.
    const forward = this.own ?? (Object.getPrototypeOf(module) as { forward: Forward }).forward;
    this.result = forward.apply(module, [...this.args]);
    for (const entry of hooksOf<ForwardHook>(module, 'forward')!.entries) {
      this.called.add(entry);
      const given = entry.hook(module, this.args, this.result);
      if (isGiven(given)) this.result = replacing(this.result, given);
    }
    return hooks === null ? this.result : hooks.watchOutputs(this.result);
  }

  /** The hooks that are called in any case, after another error. */
  private runRemaining(): void {
    for (const entry of hooksOf<ForwardHook>(this.module, 'forward')!.entries) {
      if (!entry.alwaysCall || this.called.has(entry)) continue;
      try {
        const given = entry.hook(this.module, this.args, this.result);
        if (isGiven(given)) this.result = given;
      } catch (error) {
        logger.warn(`A forward hook with alwaysCall threw after another error: ${String(error)}`);
      }
    }
  }
}

/** What a forward hook puts in the place of an output. A number is what `push` gives, as an arrow function returns it. */
function replacing(output: unknown, given: unknown): unknown {
  if (isPromise(given) && !isPromise(output)) refuseResult('A forward hook', given);
  if (typeof given === 'object' || typeof output !== 'object') return given;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `A forward hook returned ${show(given)}, which would take the place of the output: write { … } around what it does, or return an output.`,
  );
}

function wrapForward(module: Module, hooks: ModuleHooks): void {
  const before = Object.getOwnPropertyDescriptor(module, 'forward');
  if (before?.value === forwardWithHooks) return;
  hooks.ownForward = before ?? null;
  Object.defineProperty(module, 'forward', {
    value: forwardWithHooks,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}

function unwrapForward(module: Module, hooks: ModuleHooks): void {
  if (Object.getOwnPropertyDescriptor(module, 'forward')?.value !== forwardWithHooks) return;
  if (hooks.ownForward === null) Reflect.deleteProperty(module, 'forward');
  else Object.defineProperty(module, 'forward', hooks.ownForward);
  hooks.ownForward = null;
}

/** Gives a module a hook; `forward` is wrapped while there are hooks about it. */
export function addHook(
  module: Module,
  kind: HookKind,
  hook: AnyHook,
  options: ForwardHookOptions = {},
): ModuleHookHandle {
  if (typeof hook !== 'function') {
    throw new AiforgeError('INVALID_ARGUMENT', `A hook must be a function, got ${show(hook)}.`);
  }
  const hooks = (module[registry].hooks ??= new ModuleHooks());
  const list = hooks.lists[kind];
  const entry = list.add(hook, options);
  if (hooks.wrapForward) wrapForward(module, hooks);
  return new ModuleHookHandle(() => {
    list.entries.remove(entry);
    if (!hooks.wrapForward) unwrapForward(module, hooks);
  });
}

/** Takes a hook away from this module, whichever copy of it got the hook. */
export function removeHook(module: Module, kind: HookKind, hook: AnyHook): void {
  const { hooks } = module[registry];
  if (hooks === null) return;
  hooks.lists[kind].removeHook(hook);
  if (!hooks.wrapForward) unwrapForward(module, hooks);
}

const forwardHookTakes = signature<ForwardHookOptions>({ hook: anything }, { prepend: boolean, alwaysCall: boolean });

const hookTakes = signature<HookOptions>({ hook: anything }, { prepend: boolean });

/** The methods of Module about hooks of `forward` and of its backward pass. */
export abstract class ModuleHookMethods {
  /**
   * Has `hook` called with the arguments before every `forward`; what it returns takes their place: an array of
   * arguments, or the only one. As `torch.nn.Module.register_forward_pre_hook`.
   *
   * @example
   * import { nn, ones } from 'aiforge';
   * const layer = new nn.ReLU();
   * using hook = layer.registerForwardPreHook((module, [x]) => x.mul(-1));
   * layer.forward(ones([2])).tolist(); // [0, 0]
   */
  registerForwardPreHook<M extends Module>(
    this: M,
    hook: (
      module: M,
      args: ForwardArguments<M>,
    ) => [...ForwardArguments<M>] | ForwardArguments<M>[0] | null | undefined | void,
    options: HookOptions = {},
  ): ModuleHookHandle {
    hookTakes.check('registerForwardPreHook', arguments);
    return addHook(this, 'forwardPre', hook, options);
  }

  /**
   * Has `hook` called with arguments and output after every `forward`; what it returns takes the output's place. As
   * `torch.nn.Module.register_forward_hook`.
   *
   * @example
   * import { nn, ones } from 'aiforge';
   * const layer = new nn.Linear(3, 2);
   * const shapes = [];
   * const hook = layer.registerForwardHook((module, args, output) => void shapes.push(output.shape));
   * layer.forward(ones([4, 3]));
   * hook.remove();
   * shapes; // [[4, 2]]
   */
  registerForwardHook<M extends Module>(
    this: M,
    hook: (
      module: M,
      args: ForwardArguments<M>,
      output: ReturnType<M['forward']>,
    ) => ReturnType<M['forward']> | null | undefined | void,
    options: ForwardHookOptions = {},
  ): ModuleHookHandle {
    forwardHookTakes.check('registerForwardHook', arguments);
    return addHook(this, 'forward', hook, options);
  }

  /**
   * Has `hook` called with the gradients of the outputs before those of the inputs are computed; an array that it
   * returns takes their place. As `torch.nn.Module.register_full_backward_pre_hook`.
   */
  registerFullBackwardPreHook<M extends Module>(
    this: M,
    hook: (module: M, gradOutput: ModuleGradients) => ModuleGradients | null | undefined | void,
    options: HookOptions = {},
  ): ModuleHookHandle {
    hookTakes.check('registerFullBackwardPreHook', arguments);
    return addHook(this, 'backwardPre', hook, options);
  }

  /**
   * Has `hook` called when the gradients of the module's arguments are computed; an array that it returns takes the
   * place of `gradInput`. Null stands for what is no tensor. Inputs and outputs of a module with such hooks must not be
   * changed in place. As `torch.nn.Module.register_full_backward_hook`.
   *
   * @example
   * import { nn, ones } from 'aiforge';
   * const layer = new nn.ReLU();
   * using hook = layer.registerFullBackwardHook((module, [grad]) => [grad.mul(2)]);
   * const x = ones([2], { requiresGrad: true });
   * layer.forward(x).sum().backward();
   * x.grad.tolist(); // [2, 2]
   */
  registerFullBackwardHook<M extends Module>(
    this: M,
    hook: (
      module: M,
      gradInput: ModuleGradients,
      gradOutput: ModuleGradients,
    ) => ModuleGradients | null | undefined | void,
    options: HookOptions = {},
  ): ModuleHookHandle {
    hookTakes.check('registerFullBackwardHook', arguments);
    return addHook(this, 'backward', hook, options);
  }
}
