import { z } from 'zod';
import { isAddress, isPath } from './paths.js';
import { TrainingConfig } from './trainingConfig.js';

const text = z.string().min(1);
/** A plain name lies in DATA_DIR; nothing in it may lead out of there, nor look as if it did. */
const staysInside = (name: string): boolean =>
  isPath(name) || isAddress(name) || !(name.split('/').includes('..') || name.startsWith('~') || name.includes('\0'));

const options = z.record(z.string(), z.unknown());

/** One experiment: which plugins, which data, which model and how it trains. */
export const ExperimentConfig = z
  .strictObject({
    experimentName: text.describe('Name under which runs are filed'),
    modelPlugin: text.describe('Plugin that holds the model: a name, a path from this file (./…) or a package'),
    datasetPlugin: text.describe('Plugin that holds the data set: a name, a path from this file (./…) or a package'),
    dataPath: text
      .refine(staysInside, { error: "expected a name inside DATA_DIR, without '..' and '~'" })
      .describe(
        'Where the data set is read or made: a name in DATA_DIR, a path from this file (./…) or from /, or npm:<package>',
      ),
    preprocessArgs: options.default({}).describe("Arguments of the preprocessor's fit; default {}"),
    datasetArgs: options.default({}).describe("Arguments of the data set's loadData; default {}"),
    model: options.default({}).describe("Settings of the model, checked by the plugin's own schema; default {}"),
    training: TrainingConfig.prefault({}).describe('How the run trains'),
  })
  .describe('One experiment');
export type ExperimentConfig = z.infer<typeof ExperimentConfig>;
