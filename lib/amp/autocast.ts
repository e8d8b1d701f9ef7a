import { isAvailable } from '../cuda/device.js';
import { AiforgeError } from '../errors.js';
import { anything, boolean, func, oneOf, optional, string } from '../kinds.js';
import { logger } from '../log.js';
import { nothing, signature } from '../signature.js';
import type { AutocastDevice, AutocastState } from '../tensor/context/autocastState.js';
import { currentContext, enterContext, runInContext } from '../tensor/context/context.js';
import type { DType } from '../tensor/dtype.js';
import { dtypeKind } from '../tensor/dtypeKinds.js';
import { native } from '../native.js';

export interface AutocastOptions {
  /** Of the operators that it changes. Default: `'cuda'`. */
  deviceType?: AutocastDevice;
  /** `'float16'` or `'bfloat16'`. Default: as outside, which is at first float16 on CUDA and bfloat16 on the CPU. */
  dtype?: DType;
  /** False turns it off within another one. Default: true. */
  enabled?: boolean;
  /** Whether weights are cast once for all their uses inside. Default: as outside, which is true at first. */
  cacheEnabled?: boolean;
}

const deviceTypeKind = oneOf('cuda', 'cpu');
const autocastTakes = signature({ options: anything, body: func() });
const optionsTakes = signature<AutocastOptions>(
  {},
  { deviceType: deviceTypeKind, dtype: dtypeKind, enabled: boolean, cacheEnabled: boolean },
);
const deviceTypeTakes = signature({ deviceType: optional(deviceTypeKind) });
const anyTypeTakes = signature({ deviceType: string });

let hasWarned = false;

/**
 * Runs a function in which matrix products and convolutions compute in a smaller dtype, and what needs range in float32;
 * returns what it returns. Follows `await`. As `torch.autocast`, with its lists of operators. Run `backward` outside.
 *
 * Weights are cast once and kept until the outermost autocast ends, or other code runs while it awaits: change no weight
 * inside. Without a GPU, that of CUDA does nothing, with a warning in the log, which `LOG_LEVEL=warn` shows.
 *
 * @throws AiforgeError INVALID_ARGUMENT for another device type or dtype.
 * @example
 * import { amp, nn, randn } from 'aiforge';
 * const linear = new nn.Linear(4, 2);
 * const y = amp.autocast({ deviceType: 'cpu', dtype: 'bfloat16' }, () => linear.forward(randn([3, 4])));
 * console.log(y.dtype); // bfloat16; linear.weight is float32 as before
 */
export function autocast<T>(options: AutocastOptions, body: () => T): T {
  autocastTakes.check('autocast', arguments);
  optionsTakes.checkOptions('autocast', options);
  return runInContext({ autocast: stateWithin(currentContext().autocast, options) }, body);
}

function stateWithin(outer: AutocastState, options: AutocastOptions): AutocastState {
  const { deviceType = 'cuda', enabled = true, cacheEnabled = outer.cacheEnabled } = options;
  const { dtype = outer[deviceType].dtype } = options;
  if (dtype !== 'float16' && dtype !== 'bfloat16') {
    throw new AiforgeError('INVALID_ARGUMENT', `autocast: dtype must be 'float16' or 'bfloat16', got '${dtype}'.`);
  }
  const region = outer.region ?? Symbol('autocast');
  return { ...outer, region, [deviceType]: { enabled: enabled && isUsable(deviceType), dtype }, cacheEnabled };
}

function isUsable(deviceType: AutocastDevice): boolean {
  if (deviceType === 'cpu' || isAvailable()) return true;
  if (!hasWarned)
    logger.warn("autocast: there is no CUDA device, so it does nothing; on the CPU, give { deviceType: 'cpu' }.");
  hasWarned = true;
  return false;
}

/** Whether autocast can be asked for a type of device, there or not; `'cuda'` and `'cpu'` are. As `torch.amp.is_autocast_available`. */
export function isAutocastAvailable(deviceType: string): boolean {
  anyTypeTakes.check('isAutocastAvailable', arguments);
  return deviceTypeKind.accepts(deviceType);
}

/** Whether the running code is in an autocast of a type of device. Default: `'cuda'`. As `torch.is_autocast_enabled`. */
export function isAutocastEnabled(deviceType: AutocastDevice = 'cuda'): boolean {
  deviceTypeTakes.check('isAutocastEnabled', arguments);
  return currentContext().autocast[deviceType].enabled;
}

/** The dtype that an autocast of a type of device would use here. Default: `'cuda'`. As `torch.get_autocast_dtype`. */
export function getAutocastDtype(deviceType: AutocastDevice = 'cuda'): DType {
  deviceTypeTakes.check('getAutocastDtype', arguments);
  return currentContext().autocast[deviceType].dtype;
}

/** Whether an autocast here keeps the casts of weights. As `torch.is_autocast_cache_enabled`. */
export function isAutocastCacheEnabled(): boolean {
  nothing.check('isAutocastCacheEnabled', arguments);
  return currentContext().autocast.cacheEnabled;
}

/** Forgets the casts of weights that are kept, as is needed where weights change inside. As `torch.clear_autocast_cache`. */
export function clearAutocastCache(): void {
  nothing.check('clearAutocastCache', arguments);
  enterContext();
  native.clearAutocastCache();
}
