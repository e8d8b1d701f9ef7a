import { type Handle } from '../native.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';
import type { Optimizer } from './optimizer.js';

/** What a GradScaler gives to a fused step, which unscales the gradients itself and does nothing where one is not finite. */
export interface AmpScaling {
  /** What the gradients are to be divided by; null where they were unscaled before. */
  readonly gradScale: Tensor | null;
  /** 1 where a gradient is inf or NaN, else 0. */
  readonly foundInf: Tensor;
}

/** Both as the fused operators take them, on the device of the parameters. */
export function scalingHandles(
  scaling: AmpScaling | null,
  { device }: Tensor,
): readonly [gradScale: Handle | null, foundInf: Handle | null] {
  if (scaling === null) return none;
  const { gradScale, foundInf } = scaling;
  return [gradScale === null ? null : handleOf(gradScale.to(device)), handleOf(foundInf.to(device))];
}

const none = [null, null] as const;

/** An optimizer whose fused steps take a scaling. */
export interface Scaled {
  ampScaling: AmpScaling | null;
}

/** Whether every step of an optimizer is a fused one that takes a scaling. */
export function takesAmpScaling(optimizer: Optimizer): optimizer is Optimizer & Scaled {
  const isFused = (options: object): boolean => 'fused' in options && options.fused === true;
  return 'ampScaling' in optimizer && isFused(optimizer.defaults) && optimizer.paramGroups.every(isFused);
}
