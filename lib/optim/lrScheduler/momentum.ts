import { AiforgeError } from '../../errors.js';
import type { Optimizer } from '../optimizer.js';
import { groupsOf, perGroup, type ScheduledGroup } from './rates.js';

/** Whether an optimizer's momentum is the first of its `betas`. */
export function usesBeta1(optimizer: Optimizer): boolean {
  const hasBetas = 'betas' in optimizer.defaults;
  if (hasBetas || 'momentum' in optimizer.defaults) return hasBetas;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `cycleMomentum: ${optimizer.constructor.name} has neither momentum nor betas; give { cycleMomentum: false }.`,
  );
}

export function setMomentum(group: ScheduledGroup, momentum: number, useBeta1: boolean): void {
  if (useBeta1) group.betas = [momentum, ...(group.betas ?? []).slice(1)];
  else group.momentum = momentum;
}

/** The bounds between which momenta cycle: a value for all parameter groups, or one for each. */
export interface MomentumBounds {
  base: number | readonly number[];
  max: number | readonly number[];
}

/** The bounds of each group; a schedule that begins notes them there and starts from the upper ones. */
export function cycledMomenta(
  optimizer: Optimizer,
  { base, max }: MomentumBounds,
  useBeta1: boolean,
  begins: boolean,
): { baseMomentums: number[]; maxMomentums: number[] } {
  const maxMomentums = perGroup('maxMomentum', optimizer, max);
  const baseMomentums = perGroup('baseMomentum', optimizer, base);
  if (begins) {
    groupsOf(optimizer).forEach((group, i) => {
      setMomentum(group, maxMomentums[i]!, useBeta1);
      group.maxMomentum = maxMomentums[i]!;
      group.baseMomentum = baseMomentums[i]!;
    });
  }
  return { baseMomentums, maxMomentums };
}
