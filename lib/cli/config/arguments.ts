import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { isConfigName } from '../../config/configFile.js';
import { AiforgeError } from '../../errors.js';

/** The configuration files among the arguments of a command, and the overrides: the first is a file unless it says key=value. */
export function divideArguments(given: readonly string[]): { files: string[]; overrides: string[] } {
  const isFile = (text: string, index: number) =>
    existsSync(text) || (!text.includes('=') && (index === 0 || isConfigName(text)));
  const files = given.filter(isFile);
  return { files, overrides: given.filter((text) => !files.includes(text)) };
}

/** The same for a command that needs a file. */
export function withFiles(command: string, given: readonly string[]): { files: string[]; overrides: string[] } {
  const divided = divideArguments(given);
  if (divided.files.length > 0) return divided;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `aiforge ${command} needs a configuration file, such as experiments/spam.yaml.`,
  );
}

/** The folder from which plugins are looked for by their names: that of the first file. */
export function pluginsFrom(files: readonly string[]): string {
  return dirname(resolve(files[0]!));
}
