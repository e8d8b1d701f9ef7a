import { createHash } from 'node:crypto';

import { cuda, type Tensor } from 'aiforge';

/** Skips a suite, with the reason, where no CUDA device can be used. */
export function needGpu(context: Mocha.Context): void {
  if (cuda.isAvailable()) return;
  console.log('      skipped: no CUDA device can be used here');
  context.skip();
}

/** The hash of a tensor's bytes, as python/bits.py takes it. */
export function hashOf(tensor: Tensor): string {
  const { buffer, byteOffset, byteLength } = tensor.detach().contiguous().toTypedArray();
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

/** What a call throws. */
export function thrownBy(call: () => unknown): Error & { code?: string } {
  try {
    call();
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error('nothing was thrown');
}

/** What a call throws, at once or by its promise. */
export async function rejectionOf(call: () => unknown): Promise<Error & { code?: string }> {
  try {
    await call();
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error('nothing was thrown');
}

/** Shows a measured value beside the test that took it. */
export const note = (text: string): void => console.log(`      ${text}`);
