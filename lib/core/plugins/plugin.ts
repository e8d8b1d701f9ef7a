import { createRequire } from 'node:module';
import { z } from 'zod';

import { isZod4 } from '../../config/foreignZod.js';
import { packageManifest } from '../../modules/loadModule.js';
import { AiforgeError } from '../../errors.js';
import { nearest } from '../../nearest.js';
import { objectKind } from '../../kinds.js';
import { show } from '../../show.js';
import { BaseDataset } from '../baseDataset.js';
import { BaseModel } from '../baseModel.js';
import { BasePreprocessor } from '../basePreprocessor.js';
import { called } from './calls.js';
import { refuseForeignMethods, type Part } from './foreignMethods.js';

// semver takes 10 ms to load, and is needed only for a plugin that names a range.
const load = createRequire(__filename);

/** A class of a plugin; what it must have is checked when the plugin is loaded. */
export type PluginClass<T = object> = new (...args: never[]) => T;

/** What a plugin says of itself. */
export interface PluginMetadata {
  name: string;
  version?: string;
  description?: string;
  /** The versions of aiforge that the plugin works with, as a semver range such as `^0.1.0`. */
  aiforge?: string;
}

/** The classes of a plugin. One that only brings a data set has no Model, and the other way round. */
export interface PluginParts {
  Model?: PluginClass;
  Dataset?: PluginClass;
  Preprocessor?: PluginClass;
  /** Schema of the `model` part of the experiment; extends `ModelConfig`. */
  Config?: z.ZodObject;
}

/** A plugin as one object: metadata for a plugin folder's `index.ts`, or metadata and classes for `registerPlugin`. */
export interface PluginModule extends PluginMetadata, PluginParts {}

/** A plugin that was found and checked. */
export interface LoadedPlugin extends PluginParts {
  name: string;
  /** Folder it was loaded from; undefined for a plugin given as an object. */
  directory: string | undefined;
  metadata: PluginMetadata;
}

const metadataKeys = ['name', 'version', 'description', 'aiforge'] as const;
const partKeys = ['Model', 'Dataset', 'Preprocessor', 'Config'] as const;
const knownKeys: readonly string[] = [...metadataKeys, ...partKeys];

const required = {
  Model: ['forward', 'trainingStep', 'validationStep'],
  Dataset: ['length', 'get', 'loadData'],
  Preprocessor: ['fit', 'transform', 'inverseTransform', 'save', 'load'],
} as const;

const bases = { Model: BaseModel, Dataset: BaseDataset, Preprocessor: BasePreprocessor } as const;

/** The names of the parts that a plugin has. */
export function partsOf(plugin: PluginParts): string[] {
  return partKeys.filter((part) => plugin[part] !== undefined);
}

/**
 * Describes a plugin; a folder's `index.ts` exports the result as `plugin`. Throws `PLUGIN_INVALID` for an unknown key or a
 * class without the methods it must have.
 */
export function definePlugin<T extends PluginModule>(plugin: T): T {
  checkKeys(plugin);
  checkParts(plugin, `The plugin '${plugin.name}'`);
  return plugin;
}

function checkKeys(plugin: PluginModule): void {
  const invalid = (reason: string) => new AiforgeError('PLUGIN_INVALID', `definePlugin: ${reason}`);
  if (!objectKind.accepts(plugin)) throw invalid(`expected an object with the plugin's name, got ${show(plugin)}.`);
  if (typeof plugin.name !== 'string' || plugin.name === '') {
    throw invalid(`got ${show(plugin.name)} as the plugin's name; expected a string such as 'my_plugin'.`);
  }
  for (const key of Object.keys(plugin)) {
    if (knownKeys.includes(key)) continue;
    const match = nearest(key, knownKeys);
    const advice = match === undefined ? `known are ${knownKeys.join(', ')}` : `did you mean '${match}'?`;
    throw invalid(`the plugin '${plugin.name}' has an unknown key '${key}', ${advice}`);
  }
  for (const key of metadataKeys) {
    if (plugin[key] !== undefined && typeof plugin[key] !== 'string') {
      throw invalid(`'${key}' of the plugin '${plugin.name}' is ${String(plugin[key])}; expected a string.`);
    }
  }
}

/**
 * Checks that the classes have what aiforge calls, and that the schema is one of zod 4; `zodHint` says of another zod where it is.
 * Throws `PLUGIN_INVALID` with everything that is missing from one class.
 */
export function checkParts(parts: PluginParts, who: string, zodHint = ''): void {
  for (const part of ['Model', 'Dataset', 'Preprocessor'] as const) {
    const value: unknown = parts[part];
    if (value !== undefined) checkClass(part, value, who);
  }
  if (parts.Config !== undefined) checkSchema(parts.Config, `${who}: Config`, zodHint);
}

function checkSchema(config: unknown, what: string, zodHint: string): void {
  const refuse = (problem: string) =>
    new AiforgeError('PLUGIN_INVALID', `${what}${problem}; write ModelConfig.extend({ … }) with zod 4.${zodHint}`);
  if (!(config instanceof z.ZodObject)) throw refuse(' is not a zod object schema');
  const foreign = Object.entries(config.shape as object).find(([, field]) => !isZod4(field));
  if (foreign !== undefined) throw refuse(`.${foreign[0]} is not a schema of zod 4`);
}

function checkClass(part: Part, value: unknown, who: string): void {
  const prototype: unknown = typeof value === 'function' ? value.prototype : undefined;
  if (typeof prototype !== 'object' || prototype === null) {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `${who}: ${part} is not a class; write 'class ${part} extends Base${part}'.`,
    );
  }
  refuseForeignMethods(who, part, prototype, bases[part].prototype);
  const missing = required[part].filter((member) => !(member in prototype));
  if (missing.length === 0) return;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `${who}: class ${part} has no ${missing.join(', ')}; define ${missing.length === 1 ? 'it' : 'them'} in the class body ` +
      `as methods or getters, not as properties set in the constructor.`,
  );
}

/** Makes an object of a plugin's class. Throws PLUGIN_INVALID where it has methods as properties that nothing calls. */
export function create<T extends object>(plugin: LoadedPlugin, part: Part, ...args: unknown[]): T {
  const who = `The plugin '${plugin.name}'`;
  const Class = plugin[part] as unknown as new (...args: unknown[]) => T;
  const made = called(`${who}: new ${part}()`, () => new Class(...args));
  refuseForeignMethods(who, part, made, bases[part].prototype);
  return made;
}

/** Checks the range of aiforge versions that a plugin names. Throws `PLUGIN_INVALID` when this version is outside it. */
export function checkVersion(metadata: PluginMetadata): void {
  const range = metadata.aiforge;
  if (range === undefined) return;
  const semver = load('semver') as {
    validRange(range: string): string | null;
    satisfies(version: string, range: string, options: { includePrerelease: boolean }): boolean;
  };
  if (semver.validRange(range) === null) {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `The plugin '${metadata.name}' asks for aiforge '${range}', which is not a version range; write one such as '^0.1.0'.`,
    );
  }
  const { version } = packageManifest();
  if (semver.satisfies(version, range, { includePrerelease: true })) return;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `The plugin '${metadata.name}'${metadata.version === undefined ? '' : ` ${metadata.version}`} works with aiforge ${range}, ` +
      `and this is ${version}; install a fitting version of one of them.`,
  );
}
