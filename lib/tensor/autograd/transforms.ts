import { AiforgeError } from '../../errors.js';
import { native } from '../../native.js';

/** Leaves are marked and graphs run outside the function transforms, whose own gradients these would mix with. */
export function refuseInTransforms(call: string, advice: string): void {
  if (native.transformDepth() === 0) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${call} was called inside a function that vmap, func.grad or another transform runs: ${advice} call it outside.`,
  );
}
