import { dirname } from 'node:path';

import { AiforgeError } from '../errors.js';
import { either, kind, listOf, optional, string } from '../kinds.js';
import { isOptions, signature } from '../signature.js';
import { escapeVariables } from './environmentText.js';
import { ExperimentConfig } from './experimentConfig.js';
import { checkVariables, merge, readWithBases, replaceVariables } from './layers.js';
import { isMapping, Origins, showOrigin } from './origin.js';
import { applyOverride, parseOverride } from './overrides.js';
import { resolvePaths } from './paths.js';
import { setSource, type Source } from './source.js';
import { validate } from './validate.js';
import { stringify } from './yamlLibrary.js';

const loadTakes = signature({ file: either(string, listOf(string)), overrides: optional(listOf(string)) });
const dumpTakes = signature({ config: kind('a configuration', isOptions) });

/**
 * Reads an experiment from a YAML or JSON file, or from a TypeScript or JavaScript module that exports it as `config` or by
 * default, with the files that it extends, and applies overrides such as `training.epochs=2` or `model.hiddenDims=[8,8]`. Of several
 * files the last one counts. Its paths become absolute: they are relative to the file that says them, those of
 * overrides to the working directory. Throws `FILE_NOT_FOUND`, or `CONFIG_INVALID` with every problem found and its place.
 */
export function loadExperimentConfig(
  file: string | readonly string[],
  overrides: readonly string[] = [],
): ExperimentConfig {
  loadTakes.check('loadExperimentConfig', arguments);
  const { value, source } = readExperiment(typeof file === 'string' ? [file] : file, overrides);
  const given = validate(ExperimentConfig, value, { source: source.file, locate: source.locate });
  const config = resolvePaths(given, (setting) => folderOf(setting, source));
  setSource(config, source);
  return config;
}

/** What files and overrides say, before it is checked, and where each of it was given. */
export function readExperiment(
  files: readonly string[],
  overrides: readonly string[] = [],
): { value: unknown; source: Source } {
  if (files.length === 0) {
    throw new AiforgeError('INVALID_ARGUMENT', 'loadExperimentConfig got no file; give it one or more.');
  }
  const parsed = overrides.map(parseOverride);
  const origins = new Origins();
  let value: unknown = {};
  for (const each of files) value = merge(value, readWithBases(each, origins), origins);
  replaceVariables(value, origins, process.env);
  if (isMapping(value)) for (const override of parsed) applyOverride(value, override, origins);
  checkVariables(value, origins);
  return { value, source: sourceIn(value, files, origins) };
}

function sourceIn(value: unknown, files: readonly string[], origins: Origins): Source {
  return {
    file: files.join(' + '),
    locate: (path, part) => {
      const found = origins.find(value, path);
      return found && showOrigin(found.origin, found.isExact ? part : 'value');
    },
    originAt: (path) => {
      const found = origins.find(value, path);
      return found?.isExact ? found.origin : undefined;
    },
  };
}

/** The folder that a path is relative to: that of the file which says it, or the working directory for an override. */
export function folderOf(setting: readonly string[], source: Source): string {
  const file = source.originAt(setting)?.file;
  return file === undefined ? process.cwd() : dirname(file);
}

/** The configuration as YAML text, which {@link loadExperimentConfig} reads back to an equal one. */
export function dumpConfig(config: ExperimentConfig): string {
  dumpTakes.check('dumpConfig', arguments);
  return stringify(withEscapes(config));
}

function withEscapes(value: unknown): unknown {
  if (typeof value === 'string') return escapeVariables(value);
  if (Array.isArray(value)) return value.map(withEscapes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withEscapes(entry)]));
}
