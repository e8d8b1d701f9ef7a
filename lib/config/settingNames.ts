import { ExperimentConfig } from './experimentConfig.js';
import { nearest } from '../nearest.js';
import { ourName } from './otherNames.js';
import { keysAt } from './schemaShape.js';

/** The setting, by its path, that a name comes close to or that others call so: `batch-size` is `training.batchSize`. */
export function settingCalled(name: string): string | undefined {
  for (const parent of [[], ['training'], ['training', 'checkpoint']]) {
    const known = keysAt(ExperimentConfig, parent) ?? [];
    const key = ourName(name, known) ?? nearest(name, known);
    if (key !== undefined) return [...parent, key].join('.');
  }
  return undefined;
}
