import { native, type EngineCallback, type Handle, type HookToken } from '../../native.js';
import { onEngineCall, refuseResult } from './engine.js';
import { tie, untie } from './hookTies.js';
import { handleOf, Tensor, wrapHandle } from '../tensor.js';

/** Gets a gradient, and may return another in its place. */
export type GradHook = (grad: Tensor) => Tensor | null | undefined | void;

/** What `registerHook` gives: `remove()`, or the end of a `using` block, takes the hook away. */
export class HookHandle implements Disposable {
  readonly #token: HookToken;

  /** @internal */
  constructor(token: HookToken) {
    this.#token = token;
  }

  /** Takes the hook away; nothing happens when it is gone already. */
  remove(): void {
    const removed = native.removeHook(this.#token);
    if (removed !== null) untie(removed);
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

function handleFor(tensor: Tensor, callback: EngineCallback, token: HookToken): HookHandle {
  tie([tensor], callback);
  return new HookHandle(token);
}

function checkHook(name: string, hook: unknown): void {
  if (typeof hook !== 'function') refuseResult(`${name}: the hook is no function`, hook);
}

/** @internal */
export function registerHook(tensor: Tensor, hook: GradHook): HookHandle {
  checkHook('registerHook', hook);
  const callback = onEngineCall(([handle]) => {
    const result: unknown = hook(wrapHandle(handle as Handle));
    if (result === undefined || result === null) return null;
    return Tensor.isTensor(result) ? handleOf(result) : refuseResult('The hook of a tensor', result);
  });
  return handleFor(tensor, callback, native.registerHook(handleOf(tensor), callback));
}

/** @internal */
export function registerPostAccumulateGradHook(tensor: Tensor, hook: (parameter: Tensor) => void): HookHandle {
  checkHook('registerPostAccumulateGradHook', hook);
  // The same object where it is still there: a parameter has names and fields of its own.
  const registered = new WeakRef(tensor);
  const callback = onEngineCall(([handle]) => {
    const given = wrapHandle(handle as Handle);
    const own = registered.deref();
    const result: unknown = hook(own === undefined || own.isDisposed ? given : own);
    if (result !== undefined && result !== null) refuseResult('The post-accumulate hook of a tensor', result);
  });
  return handleFor(tensor, callback, native.registerPostAccumulateGradHook(handleOf(tensor), callback));
}
