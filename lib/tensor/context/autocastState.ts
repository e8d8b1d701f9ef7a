import { mirror, native } from '../../native.js';
import type { DType } from '../dtype.js';

/** The types of device that autocast is for. */
export type AutocastDevice = 'cuda' | 'cpu';

/** What autocast does to the operators of one type of device. */
export interface DeviceAutocast {
  readonly enabled: boolean;
  readonly dtype: DType;
}

/** What autocast does to the operators that run in a context. */
export interface AutocastState {
  /** Names the outermost autocast that this is in: casts of weights are kept no longer than it. */
  readonly region: symbol | null;
  readonly cpu: DeviceAutocast;
  readonly cuda: DeviceAutocast;
  readonly cacheEnabled: boolean;
}

/** As LibTorch has it at first. */
export const noAutocast: AutocastState = {
  region: null,
  cpu: { enabled: false, dtype: 'bfloat16' },
  cuda: { enabled: false, dtype: 'float16' },
  cacheEnabled: true,
};

const applied = mirror('autocast', () => ({ state: noAutocast }));

/** What the addon was last told. */
export function appliedAutocast(): AutocastState {
  return applied.state;
}

/** Makes it the addon's. */
export function applyAutocast(state: AutocastState): void {
  if (state === applied.state) return;
  const { cpu, cuda, cacheEnabled } = state;
  native.setAutocast(cpu.enabled, cpu.dtype, cuda.enabled, cuda.dtype, cacheEnabled);
  if (!sharesCasts(state, applied.state)) native.clearAutocastCache();
  applied.state = state;
}

/** Whoever runs between two parts of a region that awaits may change the weights; casts to another dtype are of no use. */
function sharesCasts(a: AutocastState, b: AutocastState): boolean {
  return a.region === b.region && a.cpu.dtype === b.cpu.dtype && a.cuda.dtype === b.cuda.dtype;
}
