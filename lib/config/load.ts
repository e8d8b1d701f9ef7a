import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';

import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { ExperimentConfig } from './experimentConfig.js';
import { loadModule } from './loadModule.js';
import { moduleProblem } from './moduleError.js';
import { applyOverride, parseOverride, type Override } from './overrides.js';
import { resolvePaths } from './paths.js';
import { plainCopy } from './plainCopy.js';
import { validate } from './validate.js';
import { stringify } from './yamlLibrary.js';
import { readYamlText } from './yamlText.js';
import { kind, listOf, optional, string } from '../kinds.js';
import { isOptions, signature } from '../signature.js';

const yamlExtensions = ['.yaml', '.yml', '.json'];
const moduleExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

interface Source {
  value: unknown;
  locate(path: readonly PropertyKey[]): string | undefined;
}

const loadTakes = signature({ file: string, overrides: optional(listOf(string)) });
const dumpTakes = signature({ config: kind('a configuration', isOptions) });

/**
 * Reads an experiment from a YAML or JSON file, or from a TypeScript or JavaScript module that exports it as `config` or by
 * default, and applies overrides such as `training.epochs=2` or `model.hiddenDims=[8,8]`. Its paths become absolute: they are
 * relative to the file, those of overrides to the working directory. Throws `FILE_NOT_FOUND`, or `CONFIG_INVALID` with every
 * problem found and its place.
 */
export function loadExperimentConfig(file: string, overrides: readonly string[] = []): ExperimentConfig {
  loadTakes.check('loadExperimentConfig', arguments);
  const parsed = overrides.map(parseOverride);
  checkFile(file);
  const source = yamlExtensions.includes(extname(file)) ? readYaml(file) : readModule(file);
  const value = plainCopy(source.value ?? {}, file);
  if (isRecord(value)) for (const override of parsed) applyOverride(value, override);
  const config = validate(ExperimentConfig, value, {
    source: file,
    locate: (path) => overrideOf(parsed, path) ?? source.locate(path),
  });
  return resolvePaths(config, (setting) => (overrideOf(parsed, setting) === undefined ? dirname(file) : process.cwd()));
}

/** The configuration as YAML text, which {@link loadExperimentConfig} reads back to an equal one. */
export function dumpConfig(config: ExperimentConfig): string {
  dumpTakes.check('dumpConfig', arguments);
  return stringify(config);
}

function checkFile(file: string): void {
  if (!existsSync(file)) {
    const folder = dirname(resolve(file));
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const hint = didYouMean(basename(file), names) || ' Check the path; it is relative to the working directory.';
    throw new AiforgeError('FILE_NOT_FOUND', `There is no configuration file '${file}'.${hint}`);
  }
  if (statSync(file).isFile() && [...yamlExtensions, ...moduleExtensions].includes(extname(file))) return;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `'${file}' is not a configuration file; expected one that ends in ${[...yamlExtensions, ...moduleExtensions].join(', ')}.`,
  );
}

function readYaml(file: string): Source {
  const { value, lineOf } = readYamlText(readFileSync(file, 'utf8'), ({ line, column, reason, cause }) => {
    const message = `${file}:${line}:${column}: ${reason}. Correct it there; indent with spaces.`;
    return new AiforgeError('CONFIG_INVALID', message, { cause });
  });
  return {
    value,
    locate: (path) => {
      const line = lineOf(path);
      return line === undefined ? undefined : `line ${line}`;
    },
  };
}

function readModule(file: string): Source {
  let exported: Record<string, unknown>;
  try {
    exported = loadModule(resolve(file));
  } catch (error) {
    const problem = moduleProblem(error, resolve(file));
    throw new AiforgeError('CONFIG_INVALID', `${file} could not be run: ${problem}`, { cause: error });
  }
  // A CommonJS file may also be the configuration itself: module.exports = { … }.
  const value = exported.config ?? (exported.__esModule === true ? exported.default : exported);
  if (isRecord(value)) return { value, locate: () => undefined };
  throw new AiforgeError(
    'CONFIG_INVALID',
    `${file} exports no configuration; write 'export const config = { experimentName: …, … }' in it.`,
  );
}

function overrideOf(overrides: Override[], path: readonly PropertyKey[]): string | undefined {
  const found = overrides.findLast((override) => override.path.every((key, index) => key === path[index]));
  return found && `override '${found.text}'`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
