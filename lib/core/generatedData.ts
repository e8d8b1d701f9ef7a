import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import { isAddress } from '../config/paths.js';
import { AiforgeError } from '../errors.js';
import { func, kind, string } from '../kinds.js';
import { isOptions, signature } from '../signature.js';
import { plainJson } from '../plainJson.js';
import { saveSafetensors, scope, type Tensor } from '../tensor/index.js';
import { safetensorsMetadata } from '../tensor/files/safetensors.js';

/** How the tensors of a file are made. */
export interface GeneratedData {
  /** Who makes them, such as the plugin's name: only a file of the same maker is ever replaced. */
  maker: string;
  /** All that they depend on, as plain data: a file that was made with others is made anew. */
  settings: Record<string, unknown>;
  generate: () => Record<string, Tensor>;
}

const generateTakes = signature<GeneratedData>(
  { file: string },
  { maker: string, settings: kind('an object of settings', isOptions), generate: func() },
  ['maker', 'settings', 'generate'],
);

/**
 * Sees to it that a safetensors file has the tensors that a data set generates: writes it, whole or not at all, where there is
 * none or one that the same maker made with other settings, and else leaves it. To be called by rank 0, before the barrier.
 *
 * @throws AiforgeError CONFIG_INVALID for a file of anybody else, which is left as it is, a folder and an address;
 * FILE_NOT_WRITABLE where nothing can be written.
 * @example
 * import { arange, generateData, loadSafetensors } from 'aiforge';
 * const file = '/tmp/aiforge-numbers.safetensors';
 * generateData(file, { maker: 'numbers', settings: { count: 3 }, generate: () => ({ numbers: arange(3) }) });
 * loadSafetensors(file).tensors.numbers.tolist(); // [0, 1, 2]
 */
export function generateData(file: string, how: GeneratedData): void {
  generateTakes.check('generateData', arguments);
  const { maker, generate } = how;
  const settings = JSON.parse(plainJson('generateData: settings', how.settings, 'INVALID_ARGUMENT')) as object;
  if (isAddress(file)) throw refusal(file, 'is an address, and the data is generated into a file');
  if (hasFile(file)) {
    const made = madeBy(file);
    if (made?.maker !== maker) throw refusal(file, `is not one that ${maker} made, and would be overwritten`);
    if (isDeepStrictEqual(made.settings, settings)) return;
  }
  scope(() => saveSafetensors(file, generate(), { maker, settings: JSON.stringify(settings) }));
}

function hasFile(file: string): boolean {
  let found;
  try {
    found = statSync(file, { throwIfNoEntry: false });
  } catch (cause) {
    throw refusal(file, `cannot be used: ${(cause as Error).message}`, cause);
  }
  if (found !== undefined && !found.isFile()) throw refusal(file, 'is no file');
  return found !== undefined;
}

/** What a file says of how it was made; undefined where it says nothing, as one of another format. */
function madeBy(file: string): { maker: string | undefined; settings: unknown } | undefined {
  try {
    const { maker, settings } = safetensorsMetadata(file);
    return { maker, settings: JSON.parse(settings ?? 'null') };
  } catch {
    return undefined;
  }
}

function refusal(file: string, problem: string, cause?: unknown): AiforgeError {
  return new AiforgeError(
    'CONFIG_INVALID',
    `dataPath: ${file} ${problem}. Name a file that there is none of yet, such as points.safetensors for one in DATA_DIR; nothing was written.`,
    { cause },
  );
}
