import { resolve } from 'node:path';

import { experimentJsonSchema } from '../../config/jsonSchema.js';
import { folderOf, readExperiment } from '../../config/load.js';
import { isPath } from '../../config/paths.js';
import { loadPlugin } from '../../core/plugins/plugins.js';
import { divideArguments, pluginsFrom } from './arguments.js';

/** `aiforge config schema`: prints the JSON Schema of a configuration; gives the exit status. */
export function printSchema(given: readonly string[], modelPlugin: string | undefined): number {
  const { files, overrides } = divideArguments(given);
  const from = files.length === 0 ? process.cwd() : pluginsFrom(files);
  const name = modelPlugin ?? (files.length === 0 ? undefined : pluginNamedBy(files, overrides));
  // A path given here is relative to the working directory, one in a file was made absolute.
  const found = name !== undefined && isPath(name) ? resolve(name) : name;
  const schema = found === undefined ? undefined : loadPlugin(found, { from, kind: 'model' }).Config;
  process.stdout.write(`${JSON.stringify(experimentJsonSchema(schema), null, 2)}\n`);
  return 0;
}

/** The plugin that a configuration names, whatever else is still wrong in it. */
function pluginNamedBy(files: readonly string[], overrides: readonly string[]): string | undefined {
  const { value, source } = readExperiment(files, overrides);
  const { modelPlugin } = value as { modelPlugin?: unknown };
  if (typeof modelPlugin !== 'string') return undefined;
  return isPath(modelPlugin) ? resolve(folderOf(['modelPlugin'], source), modelPlugin) : modelPlugin;
}
