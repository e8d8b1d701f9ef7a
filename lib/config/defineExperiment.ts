import type { z } from 'zod';

import { kind } from '../kinds.js';
import { isOptions, signature } from '../signature.js';
import { ExperimentConfig } from './experimentConfig.js';
import { validate } from './validate.js';

type AnySchema = z.ZodType<Record<string, unknown>, Record<string, unknown>>;

/** An experiment as it is written, with the settings of the model that a plugin's schema takes. */
export type ExperimentInput<Config extends z.ZodType = AnySchema> = Omit<z.input<typeof ExperimentConfig>, 'model'> &
  (Record<never, never> extends z.input<Config> ? { model?: z.input<Config> } : { model: z.input<Config> });

const takes = signature({ experiment: kind('an object', isOptions) });

// What a file says is not what the defaults say: `config show` tells them apart.
const inputs = new WeakMap<object, object>();

/**
 * An experiment, typed, with the settings of its model as the plugin's schema types them; defaults are filled in. A configuration
 * file exports it as `config`, and a container takes it as it is. Throws CONFIG_INVALID with every problem.
 *
 * @example
 * import { defineExperiment, type SimpleNNConfig } from 'aiforge';
 * const config = defineExperiment<typeof SimpleNNConfig>({
 *   experimentName: 'points',
 *   modelPlugin: 'simple_nn',
 *   datasetPlugin: 'simple_nn',
 *   dataPath: 'points.safetensors',
 *   model: { inputDim: 10, outputDim: 2 },
 * });
 * config.training.epochs; // 10
 */
export function defineExperiment<Config extends z.ZodType = AnySchema>(
  experiment: ExperimentInput<Config>,
): ExperimentConfig & { model: z.input<Config> } {
  takes.check('defineExperiment', arguments);
  const config = validate(ExperimentConfig, experiment, { source: 'the experiment' });
  inputs.set(config, experiment);
  return config as ExperimentConfig & { model: z.input<Config> };
}

/** What `defineExperiment` was given for an experiment; any other object is itself. */
export const givenExperiment = (config: object): object => inputs.get(config) ?? config;
