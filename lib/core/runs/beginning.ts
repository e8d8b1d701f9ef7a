import path from 'node:path';

import type { TrackedRun } from '../../tracking/tracker.js';
import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import type { RunStart } from '../callbacks/callback.js';
import type { RunState } from '../checkpoints/checkpoint.js';
import type { Ranks } from '../ranks.js';
import { keepsNumbers } from './changes.js';
import type { ExperimentData } from './experiment.js';
import type { RunPlan } from './plan.js';
import type { RunFiles } from './runDirectory.js';

/** What callbacks are told of a run as it begins. */
export function startOf(
  { config, model, optimizers, device }: RunPlan,
  { splits }: ExperimentData,
  ranks: Ranks,
  files: RunFiles,
): RunStart {
  const { train, val, test } = splits;
  return {
    config,
    runDirectory: files.directory,
    parameters: [...model.parameters()].reduce((sum, parameter) => sum + parameter.numel(), 0),
    samples: { train: train.length, val: val.length, test: test.length },
    rank: ranks.rank,
    worldSize: ranks.worldSize,
    device,
    model,
    optimizers,
  };
}

/** Parameters that came after the optimizers were made would never learn. */
export function requireSame(model: BaseModel, known: ReadonlySet<Tensor>): void {
  const foreign = [...model.namedParameters()].find(([, parameter]) => !known.has(parameter));
  const count = [...model.parameters()].length;
  if (foreign === undefined && count === known.size) return;
  const what = foreign === undefined ? `${known.size - count} parameters are gone` : `the parameter '${foreign[0]}' is another one`; // prettier-ignore
  throw new AiforgeError('PLUGIN_INVALID', `onRunStart changed the model: ${what}, which the optimizers do not know. Replace layers in the model's constructor, and set only their values here.`); // prettier-ignore
}

/** Where a run stands that begins. */
export function initialState(worldSize: number, data: ExperimentData): RunState {
  return {
    epoch: 0,
    batch: 0,
    taken: 0,
    step: 0,
    trainedBatches: 0,
    validatedBatch: 0,
    best: null,
    bestEpoch: null,
    bestWeights: null,
    kept: [],
    stopping: { best: null, badEpochs: 0 },
    averagedEpochs: 0,
    worldSize,
    trainSamples: data.splits.train.length,
    metricKeys: [],
    mlflowRunId: null,
  };
}

/** What trackers are told of a run. */
export function tracked({ config, resumed }: RunPlan, { directory }: RunFiles): TrackedRun {
  const run = { experimentName: config.experimentName, runName: path.basename(directory), directory };
  if (resumed === undefined) return run;
  const { step, epoch, batch, trainedBatches, validatedBatch } = resumed.checkpoint.state;
  const validated = trainedBatches - (batch - validatedBatch);
  return {
    ...run,
    goesOnFrom: { step, epoch: epoch + 1, validatedBatch: validated, sameNumbers: keepsNumbers(resumed.changes) },
  };
}
