import { noGrad } from '../autograd/modes.js';
import { AiforgeError } from '../errors.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Device } from '../tensor/dtype.js';
import { zeros } from '../tensor/generated/functions.js';
import { aten } from '../tensor/calls/aten.js';
import { keep, scope } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';

const checkAndUnscale = aten('_amp_foreach_non_finite_check_and_unscale_');
const valuesOf = aten('_values');

/** By device, a float32 tensor of no dimensions: 1 where a gradient is inf or NaN, else 0. */
export type FoundInf = ReadonlyMap<Device, Tensor>;

/**
 * Multiplies the gradients of an optimizer's parameters in place, and looks for those that are not finite, without waiting
 * for what is found. The tensors that it returns are in no scope.
 */
export function unscaleGradients(optimizer: Optimizer, inverseScale: Tensor, takesFloat16: boolean): FoundInf {
  return noGrad(() =>
    scope(() => {
      const found = new Map<Device, Tensor>();
      for (const gradients of byDeviceAndDtype(optimizer, takesFloat16)) {
        const { device } = gradients[0]!;
        if (!found.has(device)) found.set(device, keep(zeros([], { dtype: 'float32', device })));
        checkAndUnscale(gradients, found.get(device), inverseScale.to(device));
      }
      return found;
    }),
  );
}

// What one call of the operator takes.
function byDeviceAndDtype({ paramGroups }: Optimizer, takesFloat16: boolean): Iterable<Tensor[]> {
  const lists = new Map<string, Tensor[]>();
  for (const parameter of paramGroups.flatMap(({ params }) => params)) {
    if (parameter.grad === null) continue;
    const gradient = elementsOf(parameter, parameter.grad, takesFloat16);
    const key = `${gradient.device} ${gradient.dtype}`;
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [gradient]);
    else list.push(gradient);
  }
  return lists.values();
}

function elementsOf(parameter: Tensor, gradient: Tensor, takesFloat16: boolean): Tensor {
  const isFloat16 = gradient.dtype === 'float16';
  if (isFloat16 && !takesFloat16) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `GradScaler: a gradient of shape [${gradient.shape.join(', ')}] is float16, which leaves no range to unscale it: ` +
        'keep the parameters in float32, amp.autocast computes in float16 with them.',
    );
  }
  if (!gradient.isSparse) return gradient;
  // Values of one index are added: in float16 the sum may overflow, which must be seen.
  if (isFloat16) parameter.grad = gradient.coalesce();
  return valuesOf(parameter.grad);
}
