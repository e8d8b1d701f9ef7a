import type { TrainingConfig } from '../../config/trainingConfig.js';
import { AiforgeError } from '../../errors.js';
import {
  areDeterministicAlgorithmsEnabled,
  isDeterministicAlgorithmsWarnOnlyEnabled,
  useDeterministicAlgorithms,
} from '../../tensor/index.js';

// Of this process, whose random numbers and threads a run has for itself.
let isRunning = false;

/** Runs an experiment, or an evaluation of one, with the algorithms that it asks for. Throws TRAINING_FAILED while another one runs. */
export async function asSoleRun<T>(
  { deterministic }: Pick<TrainingConfig, 'deterministic'>,
  body: () => Promise<T>,
): Promise<T> {
  if (isRunning) {
    throw new AiforgeError(
      'TRAINING_FAILED',
      'Another experiment is running in this process, and both would draw from its random numbers: await the first one, or give each a process of its own.',
    );
  }
  isRunning = true;
  const before = [areDeterministicAlgorithmsEnabled(), isDeterministicAlgorithmsWarnOnlyEnabled()] as const;
  if (deterministic !== false) useDeterministicAlgorithms(true, { warnOnly: deterministic === 'warn' });
  try {
    return await body();
  } finally {
    useDeterministicAlgorithms(before[0], { warnOnly: before[1] });
    isRunning = false;
  }
}
