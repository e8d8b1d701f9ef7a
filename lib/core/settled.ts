import { AiforgeError } from '../errors.js';

/**
 * What a plugin's promise settles to. Rejects with PLUGIN_INVALID when nothing is left in the process that could settle it, where
 * Node would end without a word.
 */
export async function settled<T>(what: string, promise: T | Promise<T>): Promise<T> {
  let giveUp: (() => void) | undefined;
  const never = new Promise<never>((_, reject) => {
    giveUp = () =>
      reject(
        new AiforgeError(
          'PLUGIN_INVALID',
          `${what} returned a promise that never settles: nothing is under way that could. Look for a resolve that is not called, or a stream that never ends.`,
        ),
      );
    process.once('beforeExit', giveUp);
  });
  try {
    return await Promise.race([promise, never]);
  } finally {
    process.off('beforeExit', giveUp!);
  }
}
