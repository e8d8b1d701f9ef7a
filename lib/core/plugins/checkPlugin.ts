import { AiforgeError } from '../../errors.js';
import { z } from 'zod';

import { descriptionAt } from '../../config/schemaShape.js';
import { BaseModel } from '../baseModel.js';
import { packageName, packageVersion } from './pluginPlaces.js';
import { partsOf, type LoadedPlugin } from './plugin.js';
import { loadPlugin } from './plugins.js';

/** A setting of the model, as the plugin's schema describes it. */
export interface CheckedSetting {
  name: string;
  /** Whether an experiment must give it. */
  isRequired: boolean;
  description: string | null;
}

/** What can be known of a plugin without an experiment. */
export interface CheckedPlugin {
  name: string;
  version: string | null;
  description: string | null;
  /** The versions of aiforge that it works with; null where it says nothing of them. */
  aiforge: string | null;
  directory: string | null;
  parts: string[];
  /** Those under `model`; none where the plugin has no schema. */
  settings: CheckedSetting[];
}

/**
 * Loads a plugin and looks for what only a run would find: a class that extends nothing of aiforge, a part that nothing uses.
 * Throws PLUGIN_NOT_FOUND or PLUGIN_INVALID, which names each problem.
 */
export function checkPlugin(name: string, from: string): CheckedPlugin {
  const plugin = loadPlugin(name, { from });
  const problems = problemsOf(plugin);
  if (problems.length > 0) {
    const where = plugin.directory === undefined ? '' : ` in ${plugin.directory}`;
    throw new AiforgeError('PLUGIN_INVALID', `The plugin '${plugin.name}'${where}: ${problems.join('; ')}.`);
  }
  const { metadata, directory = null } = plugin;
  return {
    name: plugin.name,
    version: metadata.version ?? packageVersion(packageName(name), from) ?? null,
    description: metadata.description ?? null,
    aiforge: metadata.aiforge ?? null,
    directory,
    parts: partsOf(plugin),
    settings: settingsOf(plugin),
  };
}

function problemsOf({ Model, Dataset, Preprocessor, Config }: LoadedPlugin): string[] {
  return [
    ...(Model !== undefined && !(Model.prototype instanceof BaseModel)
      ? ["class Model must extend BaseModel of 'aiforge'"]
      : []),
    ...(Preprocessor !== undefined && Dataset === undefined
      ? [
          'its Preprocessor is used by nothing, since an experiment takes that of the plugin with the Dataset; add dataset.ts',
        ]
      : []),
    ...(Config !== undefined && Model === undefined
      ? ['its Config is used by nothing, since it is the schema of a Model; add model.ts']
      : []),
  ];
}

function settingsOf({ Config }: LoadedPlugin): CheckedSetting[] {
  if (Config === undefined) return [];
  return Object.entries(Config.shape).map(([name, field]) => ({
    name,
    isRequired: !z.safeParse(field, undefined).success,
    description: descriptionAt(Config, [name]) ?? null,
  }));
}
