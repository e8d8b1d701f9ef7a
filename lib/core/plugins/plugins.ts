import { existsSync } from 'node:fs';
import { basename, dirname, join, parse, resolve } from 'node:path';

import { isPath } from '../../config/paths.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { checkVersion, definePlugin, type LoadedPlugin, type PluginModule } from './plugin.js';
import { loadPluginFolder } from './pluginFolder.js';
import { findPackage, folderNames, isDirectory, packagedNames, packageName, pluginFolders } from './pluginPlaces.js';
import { anything, either, objectKind, oneOf, string } from '../../kinds.js';
import { signature } from '../../signature.js';

export interface LoadPluginOptions {
  /** Folder of the configuration file, from which paths and packages are resolved. Default: the working directory. */
  from?: string;
  /** Which class the plugin must have; either, when left out. */
  kind?: 'model' | 'dataset';
}

const registerTakes = signature({ plugin: anything });
const loadTakes = signature<LoadPluginOptions>(
  { plugin: either(string, objectKind) },
  { from: string, kind: oneOf('model', 'dataset') },
);

const validName = /^(@[A-Za-z0-9_-][A-Za-z0-9_.-]*\/)?[A-Za-z0-9_-]+$/;

const registered = new Map<string, PluginModule>();

/** Makes a plugin known by its name, before any folder or package of that name. A second one of the name replaces the first. */
export function registerPlugin(plugin: PluginModule): void {
  registerTakes.check('registerPlugin', arguments);
  const { name } = definePlugin(plugin);
  registered.set(name, plugin);
}

/**
 * Finds a plugin, runs its files and checks their shape and the version range it names. A name is looked for among the
 * registered plugins, in `<project>/plugins`, in aiforge's own plugins and among the packages `aiforge-plugin-<name>`;
 * `./x`, `../x` and `/x` are folders. Throws `PLUGIN_NOT_FOUND` with every place searched, or `PLUGIN_INVALID`.
 */
export function loadPlugin(plugin: string | PluginModule, options: LoadPluginOptions = {}): LoadedPlugin {
  loadTakes.check('loadPlugin', arguments);
  const from = resolve(options.from ?? '.');
  const loaded = typeof plugin === 'string' ? find(plugin, from) : fromObject(plugin);
  checkVersion(loaded.metadata);
  checkKind(loaded, options.kind);
  return loaded;
}

function find(name: string, from: string): LoadedPlugin {
  if (isPath(name)) return fromPath(name, from);
  checkName(name, from);
  const object = registered.get(name);
  if (object !== undefined) return fromObject(object);

  const folders = name.startsWith('@') ? [] : pluginFolders(from).map((folder) => join(folder, name));
  const packaged = packageName(name);
  const directory = folders.find(isDirectory) ?? findPackage(packaged, from);
  if (directory !== undefined) return loadPluginFolder(directory, name);

  const tried = [
    `  a plugin registered as '${name}'`,
    ...folders.map((folder) => `  the folder ${folder}`),
    `  the package ${packaged}, from ${from}`,
  ];
  const known = knownPlugins(from).map((plugin) => plugin.name);
  const list = known.length === 0 ? '' : `\nPlugins that are here: ${known.join(', ')}.`;
  throw new AiforgeError(
    'PLUGIN_NOT_FOUND',
    `There is no plugin '${name}'.${didYouMean(name, known)} Looked for:\n${tried.join('\n')}\n` +
      `Make one of these, or give a path that starts with ./${list}`,
  );
}

/** Where a plugin that is known by a name is from. */
export interface KnownPlugin {
  name: string;
  from: 'code' | 'folder' | 'package';
}

/** The plugins that names lead to from a folder, each once, in the order in which they are looked for. None is loaded. */
export function knownPlugins(from: string): KnownPlugin[] {
  const found: KnownPlugin[] = [
    ...Array.from(registered.keys(), (name): KnownPlugin => ({ name, from: 'code' })),
    ...pluginFolders(from).flatMap((folder) =>
      folderNames(folder).map((name): KnownPlugin => ({ name, from: 'folder' })),
    ),
    ...packagedNames(from).map((name): KnownPlugin => ({ name, from: 'package' })),
  ];
  const named = new Map<string, KnownPlugin>();
  for (const plugin of found)
    if (validName.test(plugin.name) && !named.has(plugin.name)) named.set(plugin.name, plugin);
  return [...named.values()];
}

function fromObject(plugin: PluginModule): LoadedPlugin {
  const { Model, Dataset, Preprocessor, Config, ...metadata } = definePlugin(plugin);
  return { name: plugin.name, directory: undefined, metadata, Model, Dataset, Preprocessor, Config };
}

function fromPath(path: string, from: string): LoadedPlugin {
  const directory = resolve(from, path);
  if (isDirectory(directory)) return loadPluginFolder(directory, basename(directory));
  throw new AiforgeError(
    'PLUGIN_NOT_FOUND',
    `There is no plugin folder '${path}': ${directory} is not a folder.${folderHint(path, directory, from)}`,
  );
}

/** What may be meant by a path that is no folder: the folder of a file, one beside it, or a plugin that has this name. */
function folderHint(path: string, directory: string, from: string): string {
  if (existsSync(directory)) return ` A plugin is the folder of its files: did you mean '${dirname(path)}'?`;
  const sibling = didYouMean(basename(directory), folderNames(dirname(directory)));
  if (sibling !== '') return sibling;
  const name = basename(directory);
  const isKnown = knownPlugins(from).some((plugin) => plugin.name === name);
  return isKnown ? ` There is a plugin '${name}': did you mean its name, without the path?` : '';
}

function checkName(name: string, from: string): void {
  if (validName.test(name)) return;
  throw new AiforgeError(
    'PLUGIN_NOT_FOUND',
    `${JSON.stringify(name)} is not a plugin name; expected letters, digits, _ and -, with an optional @scope/ before them. ` +
      nameHint(name, from),
  );
}

/** What may be meant by what is no name: a folder whose path lacks its ./, or a plugin whose name stands in it. */
function nameHint(name: string, from: string): string {
  const isFolder = !name.includes('\0') && name.includes('/') && isDirectory(resolve(from, name));
  if (isFolder) return `Did you mean './${name}'?`;
  const last = parse(name).name;
  const isKnown = knownPlugins(from).some((plugin) => plugin.name === last);
  return isKnown ? `Did you mean '${last}'?` : 'Give a folder as a path that starts with ./';
}

function checkKind(plugin: LoadedPlugin, kind: LoadPluginOptions['kind']): void {
  const has = { model: plugin.Model !== undefined, dataset: plugin.Dataset !== undefined };
  if (kind === undefined ? has.model || has.dataset : has[kind]) return;
  const where = plugin.directory === undefined ? '' : ` in ${plugin.directory}`;
  const [what, remedy] =
    kind === undefined
      ? ['neither a Model nor a Dataset', 'add model.ts or dataset.ts']
      : kind === 'model'
        ? ['no Model', "add model.ts with 'export class Model extends BaseModel'"]
        : ['no Dataset', "add dataset.ts with 'export class Dataset extends BaseDataset'"];
  throw new AiforgeError('PLUGIN_INVALID', `The plugin '${plugin.name}'${where} has ${what}; ${remedy}.`);
}
