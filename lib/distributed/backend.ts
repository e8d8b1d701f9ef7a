import { isCudaFlavour } from '../cuda/native.js';
import { oneOf } from '../kinds.js';
import { nothing } from '../signature.js';

/** `nccl` has CUDA tensors only; the last has both kinds. */
export type Backend = 'gloo' | 'nccl' | 'cpu:gloo,cuda:nccl';

export const backendKind = oneOf<Backend>('gloo', 'nccl', 'cpu:gloo,cuda:nccl');

/**
 * Whether this build has NCCL: that of the CUDA flavour has it, even where there is no GPU. As `torch.distributed.is_nccl_available`.
 *
 * @example
 * import { cuda, distributed } from 'aiforge';
 * const backend = distributed.isNcclAvailable() && cuda.isAvailable() ? 'nccl' : 'gloo';
 */
export function isNcclAvailable(): boolean {
  nothing.check('isNcclAvailable', arguments);
  return isCudaFlavour;
}

/**
 * Whether this build has Gloo: every one has. As `torch.distributed.is_gloo_available`.
 *
 * @example
 * import { distributed } from 'aiforge';
 * distributed.isGlooAvailable(); // true
 */
export function isGlooAvailable(): boolean {
  nothing.check('isGlooAvailable', arguments);
  return true;
}
