import { native, type Handle } from '../native.js';
import { isPromise } from '../realms.js';
import { runInContext } from '../tensor/context/context.js';
import { onEngineCall, refuseResult } from '../tensor/autograd/engine.js';
import { keep, tensorsIn } from '../tensor/memory/scope.js';
import { handleOf, Tensor, wrapHandle } from '../tensor/tensor.js';
import { withCleanUp } from './finally.js';

/**
 * Runs `body` with hooks on every tensor that an operator in it saves for its backward: `pack` gets the tensor and
 * returns whatever stands for it, from which `unpack` makes it again when backward needs it. Follows `await`. As
 * `torch.autograd.graph.saved_tensors_hooks`.
 *
 * Neither hook may change its argument in place. Tensors in what `pack` returns belong to no scope: they live as long as
 * the graph needs them.
 *
 * @example
 * import { autograd, ones } from 'aiforge';
 * const x = ones([3], { requiresGrad: true });
 * const y = autograd.savedTensorsHooks(
 *   (tensor) => tensor.tolist<number[]>(),
 *   (list) => ones([3]).mul(list[0] ?? 0),
 *   () => x.mul(x),
 * );
 * y.sum().backward();
 * x.grad?.tolist(); // [2, 2, 2]
 */
export function savedTensorsHooks<Packed, T>(
  pack: (tensor: Tensor) => Packed,
  unpack: (packed: Packed) => Tensor,
  body: () => T,
): T {
  return underHooks(
    ([handle]) => {
      const packed = pack(wrapHandle(handle as Handle));
      if (isPromise(packed)) refuseResult('The pack hook of saved tensors', packed);
      // The graph may be run after the scope that it was made in.
      for (const tensor of tensorsIn(packed)) keep(tensor);
      return () => {
        const tensor: unknown = unpack(packed);
        return Tensor.isTensor(tensor) ? handleOf(tensor) : refuseResult('The unpack hook of saved tensors', tensor);
      };
    },
    { takes: false, kept: null },
    body,
  );
}

/** Gets the handle of a tensor, and returns the function that gives one back. */
export type Packer = (handles: (Handle | null)[]) => () => Handle | null;

/**
 * The same for a `pack` on handles that returns the function that gives a handle back. `takes` ends that handle after
 * its use; `kept` lives as long as anything that was packed.
 */
export function underHooks<T>(
  pack: Packer,
  { takes, kept }: { takes: boolean; kept: Tensor | null },
  body: () => T,
): T {
  const packed = onEngineCall((handles) => onEngineCall(pack(handles)));
  const hooks = native.openSavedTensorsHooks(packed, takes, kept === null ? null : handleOf(kept));
  return withCleanUp(
    () => runInContext({ savedTensorsHooks: hooks }, body),
    () => native.closeSavedTensorsHooks(hooks),
  );
}
