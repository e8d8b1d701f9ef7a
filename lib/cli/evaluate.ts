import path from 'node:path';

import pc from 'picocolors';

import type { BatchEnd, Callback } from '../core/callbacks/callback.js';
import { deviceOf } from '../core/devices.js';
import { singleProcess } from '../core/ranks.js';
import { evaluation, settingsOfEvaluation, type Evaluation } from '../core/runs/evaluateRun.js';
import { configOfRun } from '../core/runs/openRun.js';
import { untilAborted } from '../core/untilAborted.js';
import { joinRanks } from '../distributed/ranks.js';
import { logger } from '../log.js';
import { CountProgress } from './countProgress.js';
import { scoreLines } from './report.js';
import { runWithWeights } from './runs/runFolder.js';
import { jsonNumber } from './runs/list.js';
import { listenToSignals, statusOfStop } from './stopSignals.js';

type Split = 'val' | 'test';

interface EvaluateOptions {
  weights?: string;
  json?: boolean;
}

/** `aiforge validate` and `aiforge test`: prints what a run's model scores on a split; resolves to the exit status. */
export async function evaluateSplit(
  split: Split,
  given: string,
  overrides: readonly string[],
  options: EvaluateOptions,
): Promise<number> {
  const signal = listenToSignals(() => undefined);
  if (!process.env.LOG_LEVEL) logger.level = 'warn';
  const progress = new CountProgress('samples');
  try {
    const { run, weights } = runWithWeights(given, options.weights);
    const device = deviceOf(configOfRun(run, overrides, settingsOfEvaluation(split)).training.device);
    const joined = await untilAborted(signal, 'it started', joinRanks({ device }));
    const ranks = joined?.ranks ?? singleProcess;
    const callbacks: Callback[] = ranks.rank === 0 ? [{ onBatchEnd: ({ samples }: BatchEnd) => progress.show(samples) }] : []; // prettier-ignore
    const found = await evaluation(run, { split, overrides, weights, ranks, signal, callbacks });
    progress.stop();
    if (ranks.rank === 0) process.stdout.write(`${options.json === true ? asJson(run, split, found) : asText(run, split, found)}\n`); // prettier-ignore
    // Not after an error: it may wait for ranks that wait for this one.
    await joined?.leave();
    return 0;
  } catch (error) {
    progress.stop();
    return statusOfStop(error, signal);
  }
}

const shown = (file: string): string => path.relative(process.cwd(), file) || '.';

function asText(run: string, split: Split, { scores, weights, samples, classNames }: Evaluation): string {
  const name = split === 'val' ? 'Validation' : 'Held-out test';
  const epoch = weights.epoch === null ? '' : ` of epoch ${weights.epoch}`;
  return [
    ...scoreLines(`${name} (weights${epoch})`, scores, classNames),
    pc.dim(`${samples.toLocaleString('en')} samples; ${shown(weights.file)} of ${shown(run)}`),
  ].join('\n');
}

function asJson(run: string, split: Split, { scores, weights, samples, classNames }: Evaluation): string {
  const { loss, metrics, confusion } = scores;
  const numbers = Object.fromEntries(Object.entries({ loss, ...metrics }).map(([name, value]) => [name, jsonNumber(value)])); // prettier-ignore
  const classes = { ...(confusion === undefined ? {} : { confusion }), ...(classNames === undefined ? {} : { classNames }) }; // prettier-ignore
  return JSON.stringify({ directory: run, split, weights: weights.file, epoch: weights.epoch, samples, scores: numbers, ...classes }, null, 2); // prettier-ignore
}
