import { existsSync, readdirSync } from 'node:fs';
import { extname, join, parse } from 'node:path';
import { z } from 'zod';
import { foreignZodHint } from '../../config/foreignZod.js';
import { loadModule } from '../../modules/loadModule.js';
import { moduleProblem } from '../../config/moduleError.js';
import { AiforgeError } from '../../errors.js';
import { isSlipOf } from '../../nearest.js';
import { checkParts, definePlugin, type LoadedPlugin, type PluginModule, type PluginParts } from './plugin.js';

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** The file of each part, but for its extension. */
const partFiles: Readonly<Record<string, string>> = {
  Model: 'model',
  Dataset: 'dataset',
  Preprocessor: 'preprocessor',
  Config: 'config',
};

type Exports = Record<string, unknown>;

/**
 * Loads the files of a plugin folder: model, dataset, preprocessor, config and index, each .ts or .js and each optional.
 * What `index` gives to `definePlugin` comes first; `name` is for a folder whose index gives none. Throws `PLUGIN_INVALID`.
 */
export function loadPluginFolder(directory: string, name: string): LoadedPlugin {
  const described = pluginOf(readPart(directory, 'index'), directory);
  const { Model, Dataset, Preprocessor, Config, ...metadata } = described ?? { name };
  const parts: PluginParts = {
    Model: Model ?? exported<'Model'>(directory, 'model', 'Model'),
    Dataset: Dataset ?? exported<'Dataset'>(directory, 'dataset', 'Dataset'),
    Preprocessor: Preprocessor ?? exported<'Preprocessor'>(directory, 'preprocessor', 'Preprocessor'),
    Config: Config ?? schemaOf(directory),
  };
  checkFileNames(directory, parts);
  checkParts(parts, `The plugin in ${directory}`, foreignZodHint(directory));
  return { name: metadata.name, directory, metadata, ...parts };
}

function partFile(directory: string, part: string): string | undefined {
  return extensions.map((extension) => join(directory, part + extension)).find((file) => existsSync(file));
}

function readPart(directory: string, part: string): Exports | undefined {
  const file = partFile(directory, part);
  if (file === undefined) return undefined;
  try {
    return loadModule(file);
  } catch (error) {
    throw new AiforgeError('PLUGIN_INVALID', `${file} could not be run: ${moduleProblem(error, file)}`, {
      cause: error,
    });
  }
}

function pluginOf(exports: Exports | undefined, directory: string): PluginModule | undefined {
  const plugin = exports?.plugin ?? exports?.default;
  if (plugin === undefined) {
    if (exports !== undefined) checkIndexExports(exports, directory);
    return undefined;
  }
  if (typeof plugin === 'object' && plugin !== null) return definePlugin(plugin as PluginModule);
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `${partFile(directory, 'index')} exports as 'plugin' what is not an object; write export const plugin = definePlugin({ name: … }).`,
  );
}

/** An index without a plugin may export what it likes, but nothing that it takes for one, or for a part of one. */
function checkIndexExports(exports: Exports, directory: string): void {
  const names = Object.keys(exports);
  const slip = names.find((name) => isSlipOf(name, 'plugin'));
  const file = partFile(directory, 'index');
  if (slip !== undefined) {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `${file} exports '${slip}', which nothing reads; write export const plugin = definePlugin({ name: … }).`,
    );
  }
  const part = Object.keys(partFiles).find((name) => names.includes(name) && !partFile(directory, partFiles[name]!));
  if (part === undefined) return;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `${file} exports '${part}', which nothing reads there; put it into ${partFiles[part]}.ts, or write ` +
      `export const plugin = definePlugin({ name: …, ${part} }).`,
  );
}

/** A file that is misspelt is read by nobody, and its part would be missed later, or never. */
function checkFileNames(directory: string, parts: PluginParts): void {
  for (const [part, stem] of Object.entries(partFiles)) {
    if (parts[part as keyof PluginParts] !== undefined) continue;
    const isMeant = (file: string) => extensions.includes(extname(file)) && isSlipOf(parse(file).name, stem);
    const slip = readdirSync(directory).find(isMeant);
    if (slip === undefined) continue;
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `${join(directory, slip)} is read by nothing; did you mean ${stem}${extname(slip)}? Rename it.`,
    );
  }
}

function exported<K extends keyof PluginParts>(directory: string, part: string, name: K): PluginParts[K] {
  const exports = readPart(directory, part);
  if (exports === undefined) return undefined;
  if (exports[name] !== undefined) return exports[name] as PluginParts[K];
  const found = Object.keys(exports).filter((key) => key !== 'default');
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `${partFile(directory, part)} does not export '${name}'; it exports ${found.join(', ') || 'nothing'}. ` +
      `Write 'export class ${name}'.`,
  );
}

function schemaOf(directory: string): PluginParts['Config'] {
  const exports = readPart(directory, 'config');
  if (exports === undefined) return undefined;
  if (exports.Config !== undefined) return exports.Config as PluginParts['Config'];
  const schemas = Object.entries(exports).filter(([key, value]) => key !== 'default' && value instanceof z.ZodObject);
  if (schemas.length === 1) return schemas[0]![1] as z.ZodObject;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `${partFile(directory, 'config')} exports ${schemas.length === 0 ? 'no zod object schema' : 'several schemas'}; ` +
      `write 'export const Config = ModelConfig.extend({ … })'.${foreignZodHint(directory)}`,
  );
}
