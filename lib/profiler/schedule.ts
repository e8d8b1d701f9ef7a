import { count, size } from '../kinds.js';
import { signature } from '../signature.js';

/** What a profiler does with a step: nothing, record it and forget it, record it, or record it as the last of a cycle. */
export type ProfilerAction = 'none' | 'warmup' | 'record' | 'recordAndSave';

export interface ScheduleOptions {
  /** Steps at the beginning of a cycle that are not recorded. */
  wait: number;
  /** Steps after these that are recorded and forgotten: first calls take longer. */
  warmup: number;
  /** Steps after these that are recorded; at least 1. */
  active: number;
  /** How many cycles there are, 0 for one after the other. Default: 0. */
  repeat?: number;
  /** Steps before the first cycle that are not recorded. Default: 0. */
  skipFirst?: number;
}

const scheduleTakes = signature<ScheduleOptions>(
  {},
  { wait: size, warmup: size, active: count, repeat: size, skipFirst: size },
  ['wait', 'warmup', 'active'],
);

/**
 * Which steps a `Profiler` records, in cycles of waiting, warming up and recording. As `torch.profiler.schedule`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for numbers that are no counts.
 * @example
 * import { schedule } from 'aiforge/profiler';
 * const actionOf = schedule({ wait: 1, warmup: 1, active: 2, repeat: 1 });
 * [0, 1, 2, 3, 4].map(actionOf); // ['none', 'warmup', 'record', 'recordAndSave', 'none']
 */
export function schedule(options: ScheduleOptions): (step: number) => ProfilerAction {
  scheduleTakes.check('schedule', arguments);
  const { wait, warmup, active, repeat = 0, skipFirst = 0 } = options;
  const cycle = wait + warmup + active;
  return (step) => {
    const at = step - skipFirst;
    if (at < 0 || (repeat > 0 && at >= repeat * cycle)) return 'none';
    const place = at % cycle;
    if (place < wait) return 'none';
    if (place < wait + warmup) return 'warmup';
    return place < cycle - 1 ? 'record' : 'recordAndSave';
  };
}
