import type { TrainingConfig } from '../../config/trainingConfig.js';
import { logger } from '../../log.js';
import type { RunState } from '../checkpoints/checkpoint.js';
import type { Averaging } from './weights/averaging.js';

/** Warns of averages that never began: validation, the test and the best weights were without them. */
export function warnOfNoAverages(
  averaging: Averaging | null,
  { averaging: settings }: Pick<TrainingConfig, 'averaging'>,
  state: Pick<RunState, 'step' | 'epoch'>,
): void {
  if (settings === null || averaging?.hasBegun !== false) return;
  const [setting, until] =
    settings.method === 'ema'
      ? [`startStep=${settings.startStep}, everySteps=${settings.everySteps}`, `${state.step} steps`]
      : [`startEpoch=${settings.startEpoch}`, `${state.epoch} epochs`];
  logger.warn(`No weights were averaged: the run ended after ${until}, and training.averaging has ${setting}`);
}
