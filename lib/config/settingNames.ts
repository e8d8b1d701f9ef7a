import { ExperimentConfig } from './experimentConfig.js';
import { nearest } from '../nearest.js';
import { keysAt } from './schemaShape.js';

/** The setting, by its path, that a name comes close to: `batch-size` is `training.batchSize`. */
export function settingCalled(name: string): string | undefined {
  for (const parent of [[], ['training'], ['training', 'checkpoint']]) {
    const key = nearest(name, keysAt(ExperimentConfig, parent) ?? []);
    if (key !== undefined) return [...parent, key].join('.');
  }
  return undefined;
}
