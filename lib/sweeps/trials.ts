import { createHash } from 'node:crypto';

import { AiforgeError } from '../errors.js';
import { gridOf, valueAt } from './parameter.js';
import type { SweepConfig } from './sweepConfig.js';

/** What a trial has otherwise than the experiment, by the paths of the settings. */
export type TrialSettings = Record<string, unknown>;

/** The configurations of a sweep, in their order: the same ones each time. Throws CONFIG_INVALID where there are too few, or too many. */
export function trialsOf(config: SweepConfig): TrialSettings[] {
  return config.method === 'grid' ? gridTrials(config) : drawnTrials(config);
}

const mostTrials = 10_000;

function gridTrials({ parameters }: SweepConfig): TrialSettings[] {
  const axes = Object.entries(parameters).map(([name, parameter]): [string, unknown[]] => {
    const values = gridOf(parameter);
    if (values !== undefined) return [name, values];
    throw new AiforgeError(
      'CONFIG_INVALID',
      `parameters.${name}: a grid needs values: […], or a linear range with a step; method: random draws from a range without one.`,
    );
  });
  const count = axes.reduce((product, [, values]) => product * values.length, 1);
  if (count > mostTrials) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      `The grid has ${count.toLocaleString('en')} trials, and a sweep has ${mostTrials.toLocaleString('en')} at most: give fewer values, or use method: random.`,
    );
  }
  return axes.reduce<TrialSettings[]>(
    (trials, [name, values]) => trials.flatMap((trial) => values.map((value) => ({ ...trial, [name]: value }))),
    [{}],
  );
}

/** A configuration that was drawn before is drawn again: a trial twice tells nothing. */
function drawnTrials(config: Exclude<SweepConfig, { method: 'grid' }>): TrialSettings[] {
  const { parameters, trials, seed } = config;
  const found = new Map<string, TrialSettings>();
  const mostDraws = 100 * trials + 1000;
  for (let draw = 0; found.size < trials && draw < mostDraws; ++draw) {
    const drawn = Object.entries(parameters).map(([name, parameter]): [string, unknown] => {
      return [name, valueAt(parameter, uniform(seed, name, draw))];
    });
    const key = JSON.stringify(drawn);
    if (!found.has(key)) found.set(key, Object.fromEntries(drawn));
  }
  if (found.size === trials) return [...found.values()];
  throw new AiforgeError(
    'CONFIG_INVALID',
    `trials is ${trials}, and the parameters have only some ${found.size} different configurations: use method: grid, or fewer trials.`,
  );
}

/**
 * A number from 0 to under 1: the first 53 bits of the SHA-256 digest of seed, parameter and draw. Each parameter has draws of
 * its own, so one that is added or taken away leaves those of the others.
 */
function uniform(seed: number, parameter: string, draw: number): number {
  const digest = createHash('sha256').update(`${seed}/${draw}/${parameter}`).digest();
  return Number(digest.readBigUInt64BE() >> 11n) / 2 ** 53;
}
