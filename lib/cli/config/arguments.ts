import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { isConfigName } from '../../config/configFile.js';

/** The configuration files among the arguments of a command, and the overrides: the first is a file unless it says key=value. */
export function divideArguments(given: readonly string[]): { files: string[]; overrides: string[] } {
  const isFile = (text: string, index: number) => existsSync(text) || (!text.includes('=') && (index === 0 || isConfigName(text)));
  const files = given.filter(isFile);
  return { files, overrides: given.filter((text) => !files.includes(text)) };
}

/** The folder from which plugins are looked for by their names: that of the first file. */
export function pluginsFrom(files: readonly string[]): string {
  return dirname(resolve(files[0]!));
}
