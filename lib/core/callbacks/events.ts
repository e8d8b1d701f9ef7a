import type { Callback } from './callback.js';

/** The methods that tell of events. */
export type EventName = Extract<keyof Callback, `on${string}`>;

export const events = [
  'onRunStart',
  'onRunEnd',
  'onException',
  'onEpochStart',
  'onEpochEnd',
  'onStageStart',
  'onStageEnd',
  'onBatchStart',
  'onBatchEnd',
  'onForwardStart',
  'onForwardEnd',
  'onBackwardStart',
  'onBackwardEnd',
  'onOptimizerStepStart',
  'onOptimizerStepEnd',
  'onCheckpointStart',
  'onCheckpointEnd',
] as const satisfies EventName[];
