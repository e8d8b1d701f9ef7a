import { show } from '../../show.js';
import { invalid } from '../../tensor/composites/named.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function checkValues(name: string, kind: string, shape: readonly number[], count: number): void {
  if (count !== 1) return;
  throw invalid(name, `training needs more than one ${kind}, got an input of shape [${shape.join(', ')}]`);
}

/** Throws when a batch has a single value for each channel, which has no variance. */
export function checkBatch(shape: readonly number[]): void {
  checkValues('batchNorm', 'value per channel', shape, product([shape[0] ?? 0, ...shape.slice(2)]));
}

/** Throws when the instances have a single value for each channel. */
export function checkInstances(shape: readonly number[]): void {
  checkValues('instanceNorm', 'spatial element', shape, product(shape.slice(2)));
}

/** Throws when groups of channels have a single value. */
export function checkGroups(shape: readonly number[], numGroups: number): void {
  if (shape.length < 2) {
    throw invalid('groupNorm', `the input needs at least 2 dimensions, got [${shape.join(', ')}]`);
  }
  const inGroup = Math.trunc((shape[0]! * shape[1]!) / numGroups);
  checkValues('groupNorm', 'value per group', shape, product([inGroup, ...shape.slice(2)]));
}

export function checkBatchEps(eps: number, training: boolean): void {
  if (eps < 0 || (training && eps === 0)) throw invalid('batchNorm', `eps must be positive, got ${show(eps)}`);
}
