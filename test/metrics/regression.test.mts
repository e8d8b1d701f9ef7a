import { MeanAbsoluteError, MeanSquaredError } from 'aiforge/metrics';
import { likeTorchmetrics } from './recordedCases.mjs';

describe('regression metrics', () => {
  likeTorchmetrics('metrics_regression.py', {
    MeanAbsoluteError: () => new MeanAbsoluteError(),
    'MeanAbsoluteError outputs': () => new MeanAbsoluteError({ numOutputs: 3 }),
    MeanSquaredError: () => new MeanSquaredError(),
    'MeanSquaredError root': () => new MeanSquaredError({ squared: false }),
    'MeanSquaredError outputs': () => new MeanSquaredError({ numOutputs: 3 }),
  });
});
