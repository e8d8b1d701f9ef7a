import { native } from '../native.js';
import { startRecording, type Recorded } from './recording.js';

/**
 * The most bytes that tensors took at a time while `body` ran, beyond those that were there before: on the CPU, and on other
 * devices. Throws what `body` throws, and INVALID_ARGUMENT where a profile runs in this thread.
 */
export async function memoryPeak(body: () => Promise<void>): Promise<Recorded['peak']> {
  // What is released meanwhile would be taken off.
  native.collect();
  const stop = startRecording('memoryPeak', { shapes: false, memory: true, maxEvents: 0 });
  let recorded: Recorded | undefined;
  try {
    await body();
  } finally {
    recorded = stop();
  }
  return recorded.peak;
}
