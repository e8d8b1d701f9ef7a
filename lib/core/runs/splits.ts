import type { TrainingConfig } from '../../config/trainingConfig.js';
import { randomSplit } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { show } from '../../show.js';
import { isOptions } from '../../signature.js';
import { Generator } from '../../tensor/index.js';
import type { BaseDataset, Splits } from '../baseDataset.js';
import { called } from '../plugins/calls.js';

/** A dataset's own splits, or random ones by the configured fractions; every part disjoint and inside the dataset. */
export function splitDataset(dataset: BaseDataset, training: TrainingConfig): Splits {
  const own: unknown = called('Dataset.splits()', () => dataset.splits?.());
  if (own !== undefined) checkShape(own);
  const splits = (own as Splits | undefined) ?? splitAtRandom(dataset, training);
  check(splits, dataset.length);
  return splits;
}

function splitAtRandom(dataset: BaseDataset, { seed, valFraction, testFraction }: TrainingConfig): Splits {
  const val = Math.floor(dataset.length * valFraction);
  const test = Math.floor(dataset.length * testFraction);
  // A generator of its own: the split does not depend on what was drawn before, nor change what is drawn after.
  const generator = new Generator().manualSeed(seed);
  const parts = randomSplit(dataset, [dataset.length - val - test, val, test], generator);
  return { train: parts[0]!.indices, val: parts[1]!.indices, test: parts[2]!.indices };
}

const names = ['train', 'val', 'test'] as const;

function checkShape(splits: unknown): void {
  const wanted = 'Dataset.splits() must return { train, val, test }, each an array of indices (an empty one for none)';
  const refuse = (problem: string) => new AiforgeError('PLUGIN_INVALID', `${wanted}; ${problem}.`);
  if (!isOptions(splits)) throw refuse(`got ${show(splits)}`);
  for (const name of Object.keys(splits)) {
    if (!(names as readonly string[]).includes(name))
      throw refuse(`got '${name}'.${didYouMean(name, names)} Only these three are used`);
  }
  for (const name of names) {
    if (!Array.isArray(splits[name]))
      throw refuse(`${name} is ${splits[name] === undefined ? 'missing' : show(splits[name])}`);
  }
}

function check(splits: Splits, length: number): void {
  const seen = new Set<number>();
  for (const [name, indices] of Object.entries(splits) as [string, readonly number[]][]) {
    for (const index of indices) {
      if (!Number.isInteger(index) || index < 0 || index >= length || seen.has(index)) {
        throw new AiforgeError(
          'PLUGIN_INVALID',
          `splits(): the ${name} split has index ${show(index)}, which is ${seen.has(index) ? 'in another place as well' : `outside 0 … ${length - 1}`}.`,
        );
      }
      seen.add(index);
    }
  }
  if (splits.train.length === 0) {
    throw new AiforgeError(
      'TRAINING_FAILED',
      `There is nothing to train on: the dataset has ${length} items, none in the training split.`,
    );
  }
}
