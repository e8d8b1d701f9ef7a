import path from 'node:path';

/** An experiment of a second, which fails where its variables ask for it. */
export const faultyExperiment = path.resolve('test/cli/fixtures/experiments/faulty.yaml');

/** A sweep of it over four trials. */
export const grid = `
experiment: ${faultyExperiment}
method: grid
parallel: 1
parameters:
  training.learningRate: { values: [0.1, 0.001] }
  training.batchSize: { values: [8, 16] }
`;

/** A sweep of it by successive halving. */
export const halving = `
experiment: ${faultyExperiment}
method: halving
trials: 4
maxEpochs: 4
eta: 2
parallel: 1
parameters:
  training.learningRate: { min: 0.001, max: 0.1, scale: log }
`;
