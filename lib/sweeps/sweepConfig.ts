import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { readUtf8 } from '../config/utf8File.js';
import { validate } from '../config/validate.js';
import { languageOf, readYamlText, type YamlProblem } from '../config/yamlText.js';
import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { Parameter } from './parameter.js';

const count = z.int().min(1);

const ofEach = {
  experiment: z.string().min(1).describe('The experiment to vary, a path from this file'),
  metric: z
    .string()
    .min(1)
    .optional()
    .describe('What trials are compared by, such as val_loss; default training.earlyStoppingMonitor of the experiment'),
  mode: z
    .enum(['min', 'max'])
    .optional()
    .describe('Whether less or more is better; default training.earlyStoppingMode of the experiment'),
  parallel: count.optional().describe('Trials at a time; default as many as the cores allow'),
  threadsPerTrial: count
    .optional()
    .describe('Threads of each trial; default training.numThreads of the experiment, else 1'),
  parameters: z
    .record(z.string(), Parameter)
    .refine((parameters) => Object.keys(parameters).length > 0, { error: 'expected a setting or more' })
    .describe('What is varied, by the path of the setting'),
};

const drawn = {
  trials: count.describe('How many configurations are drawn'),
  seed: z.int().min(0).default(0).describe('Seed of the draws; default 0'),
};

const Grid = z.strictObject({ method: z.literal('grid'), ...ofEach });
const Random = z.strictObject({ method: z.literal('random'), ...ofEach, ...drawn });
const Halving = z
  .strictObject({
    method: z.literal('halving'),
    ...ofEach,
    ...drawn,
    minEpochs: count.default(1).describe('Epochs after which the first trials are compared; default 1'),
    maxEpochs: count.describe('Epochs of the trials that are left at the end'),
    eta: z.int().min(2).default(3).describe('One in so many goes on, for so many times the epochs; default 3'),
  })
  .refine(({ minEpochs, maxEpochs }) => minEpochs <= maxEpochs, {
    path: ['maxEpochs'],
    error: 'expected at least minEpochs',
  });

const methods = ['grid', 'random', 'halving'];

/** A sweep: an experiment, what of it is varied, and how. */
export const SweepConfig = z.discriminatedUnion('method', [Grid, Random, Halving], {
  error: `expected one of ${methods.join(', ')}`,
});
export type SweepConfig = z.infer<typeof SweepConfig>;

export interface SweepFile {
  /** The file's absolute path. */
  file: string;
  config: SweepConfig;
  /** Where in the file a path of keys stands, such as `sweep.yaml:3:1`; the file where that is not known. */
  locate: (keys: readonly string[]) => string;
}

const extensions = ['.yaml', '.yml', '.json'];

/** Reads a sweep. Throws FILE_NOT_FOUND, or CONFIG_INVALID with every problem and its line. */
export function readSweep(given: string): SweepFile {
  checkFile(given);
  const refuse = ({ line, column, reason, cause }: YamlProblem) =>
    new AiforgeError('CONFIG_INVALID', `${given}:${line}:${column}: ${reason}. Correct it there.`, { cause });
  const { value, placeOf } = readYamlText(readUtf8(given), refuse, { language: languageOf(given) });
  checkMethod(given, value);
  const locate = (keys: readonly PropertyKey[], part: 'key' | 'value' = 'key'): string => {
    const places = placeOf(keys);
    const place = (part === 'key' ? places?.key : undefined) ?? places?.value;
    const file = path.relative(process.cwd(), path.resolve(given));
    return place === undefined ? file : `${file}:${place.line}:${place.column}`;
  };
  const config = validate(SweepConfig, value, { source: given, locate });
  return { file: path.resolve(given), config, locate };
}

/** What cannot be told apart without its method is told of by it alone. */
function checkMethod(file: string, value: unknown): void {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  const method: unknown = isMapping ? (value as Record<string, unknown>).method : undefined;
  if (isMapping && typeof method === 'string' && methods.includes(method)) return;
  const problem = !isMapping
    ? 'it holds no mapping of settings'
    : method === undefined
      ? 'method is missing'
      : `method is ${JSON.stringify(method)}`;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `${file}: ${problem}; expected one of ${methods.join(', ')} as method.${typeof method === 'string' ? didYouMean(method, methods) : ''}`,
  );
}

function checkFile(file: string): void {
  const isFile = existsSync(file) && statSync(file).isFile();
  if (isFile && extensions.includes(path.extname(file))) return;
  if (existsSync(file)) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      `'${file}' is no file of a sweep; expected a file that ends in ${extensions.join(', ')}.`,
    );
  }
  const folder = path.dirname(path.resolve(file));
  const hint = didYouMean(path.basename(file), existsSync(folder) ? readdirSync(folder) : []);
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `There is no sweep '${file}'.${hint || ' Check the path; it is relative to the working directory.'}`,
  );
}
