import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

import { packageRoot, resolveModule } from '../../config/loadModule.js';
import { isPath } from '../../config/paths.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { checkVersion, definePlugin, type LoadedPlugin, type PluginModule } from './plugin.js';
import { loadPluginFolder } from './pluginFolder.js';
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

const prefix = 'aiforge-plugin-';
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
  checkName(name);
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
  const known = [...registered.keys(), ...pluginFolders(from).flatMap(folderNames)];
  throw new AiforgeError(
    'PLUGIN_NOT_FOUND',
    `There is no plugin '${name}'.${didYouMean(name, known)} Looked for:\n${tried.join('\n')}\n` +
      `Make one of these, or give a path that starts with ./`,
  );
}

function fromObject(plugin: PluginModule): LoadedPlugin {
  const { Model, Dataset, Preprocessor, Config, ...metadata } = definePlugin(plugin);
  return { name: plugin.name, directory: undefined, metadata, Model, Dataset, Preprocessor, Config };
}

function fromPath(path: string, from: string): LoadedPlugin {
  const directory = resolve(from, path);
  if (isDirectory(directory)) return loadPluginFolder(directory, basename(directory));
  const siblings = didYouMean(basename(directory), folderNames(dirname(directory)));
  throw new AiforgeError(
    'PLUGIN_NOT_FOUND',
    `There is no plugin folder '${path}': ${directory} is not a folder.${siblings}`,
  );
}

function checkName(name: string): void {
  if (validName.test(name)) return;
  throw new AiforgeError(
    'PLUGIN_NOT_FOUND',
    `${JSON.stringify(name)} is not a plugin name; expected letters, digits, _ and -, with an optional @scope/ before them. ` +
      `Give a folder as a path that starts with ./`,
  );
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

/** `plugins` of the project around the configuration file, then aiforge's own. */
function pluginFolders(from: string): string[] {
  return [...new Set([join(projectRoot(from), 'plugins'), join(packageRoot(), 'plugins')])];
}

function projectRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (folderEntries(folder).includes('package.json')) return folder;
    if (dirname(folder) === folder) return from;
  }
}

function packageName(name: string): string {
  const slash = name.lastIndexOf('/') + 1;
  const plain = name.slice(slash);
  return name.slice(0, slash) + (plain.startsWith(prefix) ? plain : prefix + plain);
}

/** The folder that holds a package's files: that of its entry point, or the package's own when it has none. */
function findPackage(name: string, from: string): string | undefined {
  const entry = resolveModule(name, from);
  if (entry !== undefined) return dirname(entry);
  const bases = createRequire(join(from, '_')).resolve.paths(name) ?? [];
  const folder = bases.map((base) => join(base, name)).find(isDirectory);
  return folder && realpathSync(folder);
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function folderEntries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function folderNames(folder: string): string[] {
  return folderEntries(folder).filter((name) => isDirectory(join(folder, name)));
}
