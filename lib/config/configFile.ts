import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';

import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { givenExperiment } from './defineExperiment.js';
import { loadModule } from '../modules/loadModule.js';
import { moduleProblem } from './moduleError.js';
import { isMapping, type Origins } from './origin.js';
import { plainCopy } from './plainCopy.js';
import { readUtf8 } from './utf8File.js';
import { languageOf, readYamlText, type YamlProblem } from './yamlText.js';

const yamlExtensions = ['.yaml', '.yml', '.json'];
const moduleExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const extensions = [...yamlExtensions, ...moduleExtensions];

/** Whether a name is one that a configuration file can have. */
export const isConfigName = (file: string): boolean => extensions.includes(extname(file));

/** Whether the values of a file are data, in which environment variables can stand. */
export const isYaml = (file: string): boolean => yamlExtensions.includes(extname(file));

/**
 * Reads one configuration file: a copy of what it holds, whose entries have their places in `origins`. `said` says where its name
 * was given, to begin an error with.
 */
export function readConfigFile(file: string, origins: Origins, said = ''): unknown {
  checkFile(file, said);
  return isYaml(file) ? readYaml(file, origins) : readModule(file, origins);
}

function checkFile(file: string, said: string): void {
  if (!existsSync(file)) {
    const folder = dirname(resolve(file));
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const base = said === '' ? 'the working directory' : 'the file that names it';
    const hint = didYouMean(basename(file), names) || ` Check the path; it is relative to ${base}.`;
    throw new AiforgeError('FILE_NOT_FOUND', `${said}There is no configuration file '${file}'.${hint}`);
  }
  if (statSync(file).isFile() && isConfigName(file)) return;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `${said}'${file}' is not a configuration file; expected one that ends in ${extensions.join(', ')}.`,
  );
}

function readYaml(file: string, origins: Origins): unknown {
  const text = readUtf8(file);
  const language = languageOf(file);
  const refuse = ({ line, column, reason, cause }: YamlProblem) => {
    const isVariable =
      text
        .split('\n')
        .at(line - 1)
        ?.includes('${env:') === true;
    const remedy = isVariable
      ? 'Put ${env:…} in quotes, as within […] and {…} it must be'
      : `Correct it there${language === 'YAML' ? '; indent with spaces' : ''}`;
    const message = `${file}:${line}:${column}: ${reason}. ${remedy}.`;
    return new AiforgeError('CONFIG_INVALID', message, { cause });
  };
  const { value: read, placeOf } = readYamlText(text, refuse, { language });
  const value = plainCopy(read ?? {}, file);
  origins.mark(value, (path) => ({ file, ...placeOf(path) }));
  return value;
}

function readModule(file: string, origins: Origins): unknown {
  const value = plainCopy(givenExperiment(exportedBy(file)), file);
  origins.mark(value, () => ({ file }));
  return value;
}

function exportedBy(file: string): object {
  let exported: Record<string, unknown>;
  try {
    exported = loadModule(resolve(file));
  } catch (error) {
    const problem = moduleProblem(error, resolve(file));
    throw new AiforgeError('CONFIG_INVALID', `${file} could not be run: ${problem}`, { cause: error });
  }
  // A CommonJS file may also be the configuration itself: module.exports = { … }.
  const value = exported.config ?? (exported.__esModule === true ? exported.default : exported);
  if (isMapping(value)) return value;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `${file} exports no configuration; write 'export const config = { experimentName: …, … }' in it.`,
  );
}
