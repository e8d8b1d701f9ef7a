import { mapTree } from '../autograd/pytree.js';
import { anything, func, oneOf } from '../kinds.js';
import { signature } from '../signature.js';
import type { AutocastDevice, DeviceAutocast } from '../tensor/context/autocastState.js';
import { currentContext } from '../tensor/context/context.js';
import type { DType } from '../tensor/dtype.js';
import { dtypeKind } from '../tensor/dtypeKinds.js';
import { Tensor } from '../tensor/tensor.js';
import { autocast } from './autocast.js';

export interface CustomForwardOptions {
  /** The type of device whose autocast it heeds. Default: `'cuda'`. */
  deviceType?: AutocastDevice;
  /** What the floating-point tensors of that device are cast to inside autocast, which is off then. Default: nothing is cast. */
  castInputs?: DType;
}

export interface CustomBackwardOptions {
  /** The type of device whose autocast it heeds. Default: `'cuda'`. */
  deviceType?: AutocastDevice;
}

const wrapTakes = signature({ options: anything, body: func() });
const deviceType = oneOf('cuda', 'cpu');
const forwardTakes = signature<CustomForwardOptions>({}, { deviceType, castInputs: dtypeKind });
const backwardTakes = signature<CustomBackwardOptions>({}, { deviceType });

// What the forward of a Function ran under, for its backward.
const ranUnder = new WeakMap<object, DeviceAutocast>();

/**
 * The `forward` of a Function that is to be right inside autocast: its `backward`, made by {@link customBwd}, runs under the
 * autocast that this one ran under. As `torch.amp.custom_fwd`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for another device type.
 * @example
 * import { amp, autograd, matmul, type Tensor } from 'aiforge';
 * class Product extends autograd.Function {
 *   static forward = amp.customFwd({ deviceType: 'cpu' }, (context: autograd.FunctionContext, a: Tensor, b: Tensor) => {
 *     context.saveForBackward(a, b);
 *     return matmul(a, b);
 *   });
 *   static backward = amp.customBwd({ deviceType: 'cpu' }, (context: autograd.FunctionContext, gradient: Tensor) => {
 *     const [a, b] = context.savedTensors as [Tensor, Tensor];
 *     return [matmul(gradient, b.t()), matmul(a.t(), gradient)];
 *   });
 * }
 */
export function customFwd<C extends object, Args extends unknown[], R>(
  options: CustomForwardOptions,
  forward: (context: C, ...args: Args) => R,
): (context: C, ...args: Args) => R {
  wrapTakes.check('customFwd', arguments);
  forwardTakes.checkOptions('customFwd', options);
  const { deviceType = 'cuda', castInputs } = options;
  return (context, ...args) => {
    const { enabled, dtype } = currentContext().autocast[deviceType];
    ranUnder.set(context, { enabled: enabled && castInputs === undefined, dtype });
    if (!enabled || castInputs === undefined) return forward(context, ...args);
    const cast = (value: unknown) => (isCastable(value, deviceType) ? value.to(castInputs) : value);
    return autocast({ deviceType, enabled: false }, () => forward(context, ...(mapTree(args, cast) as Args)));
  };
}

function isCastable(value: unknown, deviceType: AutocastDevice): value is Tensor {
  return (
    Tensor.isTensor(value) &&
    value.isFloatingPoint() &&
    value.dtype !== 'float64' &&
    value.device.split(':')[0] === deviceType
  );
}

/** The `backward` of a Function whose `forward` {@link customFwd} made. As `torch.amp.custom_bwd`. */
export function customBwd<C extends object, Args extends unknown[], R>(
  options: CustomBackwardOptions,
  backward: (context: C, ...gradients: Args) => R,
): (context: C, ...gradients: Args) => R {
  wrapTakes.check('customBwd', arguments);
  backwardTakes.checkOptions('customBwd', options);
  const { deviceType = 'cuda' } = options;
  return (context, ...gradients) =>
    autocast({ deviceType, ...ranUnder.get(context) }, () => backward(context, ...gradients));
}
