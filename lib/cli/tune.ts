import path from 'node:path';

import { loadExperimentConfig } from '../config/load.js';
import {
  batchSizeFind,
  type BatchSizeFindOptions,
  type BatchSizeFindResult,
  type BatchSizeTrial,
} from '../core/tuning/batchSizeFind.js';
import { lrFind, type LrFindOptions, type LrFindResult } from '../core/tuning/lrFind.js';
import { prepareExperiment, type PreparedExperiment } from '../core/tuning/preparedExperiment.js';
import { skippedFirst, skippedLast } from '../core/tuning/suggestedRate.js';
import { logger } from '../log.js';
import { quoted } from './report.js';
import { lossCurve } from './tuneCurve.js';

function prepare(file: string, overrides: readonly string[]): Promise<PreparedExperiment> {
  if (!process.env.LOG_LEVEL) logger.level = 'warn';
  return prepareExperiment(loadExperimentConfig(file, overrides), { from: path.dirname(path.resolve(file)) });
}

const print = (lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);

/** What is to be typed for what was found; a setting that was given is replaced. */
function trainWith(file: string, overrides: readonly string[], setting: string, value: number): string {
  const others = overrides.filter((override) => !override.startsWith(`${setting}=`));
  return `npx aiforge train ${[file, ...others, `${setting}=${value}`].map(quoted).join(' ')}`;
}

/** `aiforge tune lr`: prints the curve and the suggestion; resolves to the exit status, 1 where there is none. */
export async function tuneLearningRate(
  file: string,
  overrides: readonly string[],
  options: LrFindOptions,
): Promise<number> {
  const found = await lrFind(await prepare(file, overrides), options);
  const { rates, smoothedLosses, suggestion, isDiverged } = found;
  print([
    `Loss (smoothed) at learning rates of ${rates.length} steps${isDiverged ? '; it diverged' : ''}`,
    ...lossCurve(rates, smoothedLosses, { suggestion, isLinear: options.mode === 'linear' }),
    '',
  ]);
  if (suggestion === null) {
    print([`There is no suggestion: ${noSuggestion(found)}`]);
    return 1;
  }
  const setting = 'training.learningRate';
  const rate = Number(suggestion.toPrecision(3));
  print([`Suggestion: ${setting}=${rate}`, `Next: ${trainWith(file, overrides, setting, rate)}`]);
  return 0;
}

/** Why nothing can be suggested, and what to do. */
function noSuggestion({ losses, isDiverged }: LrFindResult): string {
  const lower = isDiverged ? ', or a lower --min-lr' : '';
  if (!losses.every(Number.isFinite))
    return 'too few steps have a finite loss. Give more --steps, or a lower --min-lr.';
  return (
    `the first ${skippedFirst} steps and the last say little, and fewer than two are left of ${losses.length}. ` +
    `Give --steps ${skippedFirst + skippedLast + 2} or more${lower}.`
  );
}

const reasons: Readonly<Record<BatchSizeFindResult['endedBy'], string>> = {
  outOfMemory: 'a larger one ran out of memory',
  memoryLimit: 'a larger one takes more than the limit',
  max: 'no larger one was to be tried, or the samples are no more',
  maxTrials: 'the trials are over',
};

/** `aiforge tune batch-size`: prints the sizes that were tried and the suggestion; resolves to the exit status. */
export async function tuneBatchSize(
  file: string,
  overrides: readonly string[],
  options: BatchSizeFindOptions,
): Promise<number> {
  const { batchSize, trials, endedBy } = await batchSizeFind(await prepare(file, overrides), options);
  const setting = 'training.batchSize';
  print([
    `${'batch size'.padStart(10)}  ${'memory'.padStart(12)}`,
    ...trials.map(trialLine),
    '',
    `Suggestion: ${setting}=${batchSize} (${reasons[endedBy]})`,
    `Next: ${trainWith(file, overrides, setting, batchSize)}`,
  ]);
  return 0;
}

function trialLine({ batchSize, fits, peakBytes }: BatchSizeTrial): string {
  const memory = peakBytes === null ? 'none left' : `${(peakBytes / 2 ** 20).toFixed(2)} MiB`;
  return `${String(batchSize).padStart(10)}  ${memory.padStart(12)}${fits ? '' : '  does not fit'}`;
}
