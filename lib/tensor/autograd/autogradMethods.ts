import { native } from '../../native.js';
import { backwardAsyncFrom, backwardFrom, backwardTakes, type BackwardOptions } from './backward.js';
import { registerHook, registerPostAccumulateGradHook, type GradHook, type HookHandle } from './hooks.js';
import { handleOf, Tensor } from '../tensor.js';
import { anything } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';

const hookTakes = signature({ hook: anything });

/** The methods of Tensor that drive autograd; installed on its prototype below. */
export abstract class AutogradMethods {
  /**
   * Computes the gradients of the leaves that this tensor depends on, and accumulates them in `grad`. As
   * `torch.Tensor.backward`.
   */
  backward(options?: BackwardOptions): void {
    if (arguments.length > 0) backwardTakes.check('backward', arguments);
    backwardFrom([this as unknown as Tensor], options?.gradient === undefined ? null : [options.gradient], options);
  }

  /**
   * `backward` off the event loop: the promise resolves when the gradients are there. Until then `grad` may be read, but
   * its numbers are any between the old and the new, and what the graph saved must not be changed. Hooks and Functions run
   * on this thread, when its event loop turns.
   *
   * @example
   * import { ones } from 'aiforge';
   * const x = ones([2], { requiresGrad: true });
   * void x.mul(3).sum().backwardAsync().then(() => x.grad?.tolist()); // [3, 3]
   */
  async backwardAsync(options?: BackwardOptions): Promise<void> {
    if (arguments.length > 0) backwardTakes.check('backwardAsync', arguments);
    return backwardAsyncFrom(
      [this as unknown as Tensor],
      options?.gradient === undefined ? null : [options.gradient],
      options,
    );
  }

  /**
   * Has `hook` called with the gradient of this tensor whenever one is computed; what it returns replaces the gradient.
   * Hooks run in the order of their registration, and belong to the tensor's present node: an operator in place gives
   * it another. A gradient that does not exist calls none. As `torch.Tensor.register_hook`.
   *
   * A hook that mentions its own tensor keeps it alive until it is removed or the tensor's scope ends.
   *
   * @example
   * import { ones } from 'aiforge';
   * const x = ones([2], { requiresGrad: true });
   * using hook = x.registerHook((grad) => grad.mul(2));
   * x.sum().backward();
   * x.grad?.tolist(); // [2, 2]
   */
  registerHook(hook: GradHook): HookHandle {
    if (arguments.length > 1) hookTakes.check('registerHook', arguments);
    return registerHook(this as unknown as Tensor, hook);
  }

  /**
   * Has `hook` called with this leaf after `backward` accumulated into its `grad`. As
   * `torch.Tensor.register_post_accumulate_grad_hook`.
   */
  registerPostAccumulateGradHook(hook: (parameter: this) => void): HookHandle {
    if (arguments.length > 1) hookTakes.check('registerPostAccumulateGradHook', arguments);
    return registerPostAccumulateGradHook(this as unknown as Tensor, hook as unknown as (parameter: Tensor) => void);
  }

  /** Has `backward` keep the gradient of a tensor that is not a leaf, in `grad`. As `torch.Tensor.retain_grad`. */
  retainGrad(): void {
    if (arguments.length > 0) nothing.check('retainGrad', arguments);
    native.retainGrad(handleOf(this as unknown as Tensor));
  }

  /** Whether `retainGrad` was called on this tensor, which is not a leaf. */
  get retainsGrad(): boolean {
    return native.retainsGrad(handleOf(this as unknown as Tensor));
  }
}

for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(AutogradMethods.prototype))) {
  if (name !== 'constructor') Object.defineProperty(Tensor.prototype, name, descriptor);
}
