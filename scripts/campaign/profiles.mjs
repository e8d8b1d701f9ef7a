/** The settings of the runs, by name: what each has that may break on the way. */
export const profiles = {
  plain: { checkpoint: { everySteps: 2, keep: 2 } },
  windows: {
    accumulationSteps: 3,
    scheduler: { name: 'OneCycleLR', maxLr: 0.05, interval: 'step' },
    averaging: { method: 'ema', decay: 0.9 },
    valCheckInterval: 4,
    checkpoint: { everySteps: 2, keep: 3, topK: 2, background: true },
  },
  half: { precision: 'float16', accumulationSteps: 3, checkpoint: { topK: 2, everyEpochs: 2 } },
  halfInBackground: { precision: 'float16', gradClipNorm: 1, checkpoint: { everySteps: 1, background: true } },
  mean: {
    accumulationSteps: 3,
    averaging: { method: 'swa', startEpoch: 2 },
    valCheckInterval: 3,
    scheduler: { name: 'CosineAnnealingLR' },
    checkpoint: { everySteps: 1, keep: 2 },
  },
  average: {
    averaging: { method: 'ema', decay: 0.95 },
    valCheckInterval: 0.5,
    scheduler: { name: 'StepLR', stepSize: 1 },
    checkpoint: { everySteps: 3, keep: 4, topK: 3 },
  },
  epochs: { accumulationSteps: 3, checkpoint: { background: true, topK: 2 } },
};

/** What all of them have: three epochs of eleven batches, of six on two ranks. */
const common = { epochs: 3, batchSize: 8, learningRate: 0.02, numThreads: 1, earlyStoppingPatience: null };

export function configOf(profile, plugin) {
  return {
    experimentName: 'campaign',
    modelPlugin: plugin,
    datasetPlugin: plugin,
    dataPath: 'none',
    training: { ...common, ...profiles[profile] },
  };
}
