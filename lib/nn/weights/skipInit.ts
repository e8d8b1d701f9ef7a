import type { Device } from '../../tensor/dtype.js';
import type { Module } from '../module.js';
import { signature } from '../../signature.js';
import { func } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';

/** The arguments of a constructor whose last one is options with a device. */
interface WithDevice {
  device?: Device;
}

const isOptions = (value: unknown): value is WithDevice => isPlainObject(value);

const skipInitTakes = signature({ type: func() });

/**
 * Makes a layer without drawing the values of its parameters, for a state dict to fill. As `torch.nn.utils.skip_init`.
 *
 * @example
 * import { nn } from 'aiforge';
 * nn.utils.skipInit(nn.Linear, 4, 2, { bias: false }).weight.shape; // [2, 4]
 */
export function skipInit<M extends Module, Args extends unknown[]>(type: new (...args: Args) => M, ...args: Args): M {
  if (typeof type !== 'function') skipInitTakes.check('skipInit', [type]);
  const last: unknown = args.at(-1);
  const options = isOptions(last) ? last : {};
  const others = isOptions(last) ? args.slice(0, -1) : args;
  // Nothing is drawn for tensors that have no values.
  const module = new type(...([...others, { ...options, device: 'meta' }] as unknown as Args));
  return module.toEmpty({ device: options.device ?? 'cpu' });
}
