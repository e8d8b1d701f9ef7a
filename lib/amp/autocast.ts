import { callNow } from '../autograd/transform.js';
import { native } from '../native.js';
import type { DType } from '../tensor/dtype.js';
import { anything, boolean, func, oneOf } from '../kinds.js';
import { signature } from '../signature.js';
import { dtypeKind } from '../tensor/dtypeKinds.js';

interface NativeAutocast {
  autocastState(deviceType: string): { enabled: boolean; dtype: string; cacheEnabled: boolean };
  enterAutocast(deviceType: string, enabled: boolean, dtype: string, cacheEnabled: boolean): void;
  exitAutocast(deviceType: string, enabled: boolean, dtype: string, cacheEnabled: boolean): void;
}

const addon = native as unknown as NativeAutocast;

export interface AutocastOptions {
  /** Of the operators that it changes. Default: `'cuda'`. */
  deviceType?: 'cuda' | 'cpu';
  /** Default: LibTorch's for the device, float16 on CUDA and bfloat16 on the CPU. */
  dtype?: DType;
  /** False turns it off within another one. Default: true. */
  enabled?: boolean;
  /** Whether weights are cast once for all their uses inside. Default: as outside, which is true at first. */
  cacheEnabled?: boolean;
}

const autocastTakes = signature({ options: anything, body: func() });
const optionsTakes = signature<AutocastOptions>(
  {},
  { deviceType: oneOf('cuda', 'cpu'), dtype: dtypeKind, enabled: boolean, cacheEnabled: boolean },
);

/**
 * Runs a synchronous function in which matrix products and convolutions compute in a smaller dtype, and what needs range in
 * float32; returns what it returns. As `torch.autocast`. Run `backward` outside.
 *
 * @throws AiforgeError INVALID_ARGUMENT for another device type, and when the function returns a promise: code after an
 * `await` would run without it.
 * @example
 * import { amp, nn, randn } from 'aiforge';
 * const linear = new nn.Linear(4, 2);
 * const y = amp.autocast({ deviceType: 'cpu', dtype: 'bfloat16' }, () => linear.forward(randn([3, 4])));
 * console.log(y.dtype); // bfloat16; linear.weight is float32 as before
 */
export function autocast<T>(options: AutocastOptions, body: () => T): T {
  autocastTakes.check('autocast', arguments);
  optionsTakes.checkOptions('autocast', options);
  const { deviceType = 'cuda', dtype, enabled = true, cacheEnabled } = options;
  const before = addon.autocastState(deviceType);
  addon.enterAutocast(deviceType, enabled, dtype ?? before.dtype, cacheEnabled ?? before.cacheEnabled);
  try {
    return callNow('autocast', body, []);
  } finally {
    addon.exitAutocast(deviceType, before.enabled, before.dtype, before.cacheEnabled);
  }
}
