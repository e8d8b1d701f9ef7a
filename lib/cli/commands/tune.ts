import { InvalidArgumentError } from 'commander';

import type { AddCommand } from './command.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
};

function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function countOf(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

function bytesOf(text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)\s*([a-z]*)$/i.exec(text) ?? [];
  const bytes = Number(number) * (units[unit.toLowerCase()] ?? NaN);
  if (number === '' || !(bytes >= 1))
    throw new InvalidArgumentError('It must be bytes, such as 4GiB, 500MB or 1000000.');
  return Math.floor(bytes);
}

function modeOf(...modes: string[]) {
  return (text: string): string => {
    if (!modes.includes(text)) throw new InvalidArgumentError(`It must be ${modes.join(' or ')}.`);
    return text;
  };
}

const file = 'a YAML, TypeScript or JavaScript file';
const settings = 'settings as key.sub=value, which come before those of the file';

export const addTune: AddCommand = (program, finish) => {
  const tune = program.command('tune').description('finds a learning rate or a batch size for an experiment');
  tune
    .command('lr')
    .description('tries rates that grow from step to step')
    .argument('<config>', file)
    .argument('[overrides...]', settings)
    .option('--min-lr <rate>', 'the first rate (1e-8)', numberOf)
    .option('--max-lr <rate>', 'the last rate (1)', numberOf)
    .option('--steps <n>', 'steps at most (100)', countOf)
    .option('--mode <mode>', 'exponential or linear', modeOf('exponential', 'linear'))
    .action(async (config: string, overrides: string[], options: object) => {
      const { tuneLearningRate } = await import('../tune.js');
      finish(await tuneLearningRate(config, overrides, options));
    });
  tune
    .command('batch-size')
    .description('tries sizes until memory runs out')
    .argument('<config>', file)
    .argument('[overrides...]', settings)
    .option('--mode <mode>', 'power or binary', modeOf('power', 'binary'))
    .option('--initial <n>', 'the first size (2)', countOf)
    .option('--max <n>', 'the largest size', countOf)
    .option('--memory-limit <bytes>', 'such as 4GiB', bytesOf)
    .option('--steps-per-trial <n>', 'steps of a size (3)', countOf)
    .option('--max-trials <n>', 'sizes at most (25)', countOf)
    .action(async (config: string, overrides: string[], options: object) => {
      const { tuneBatchSize } = await import('../tune.js');
      finish(await tuneBatchSize(config, overrides, options));
    });
};
