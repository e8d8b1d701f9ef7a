export { Accuracy, Precision, Recall, Specificity } from './classification/rates.js';
export type { Average, Task } from './classification/tasks.js';
export { AUROC, type AurocOptions } from './classification/auroc.js';
export { AveragePrecision, type AveragePrecisionOptions } from './classification/averagePrecision.js';
export { CalibrationError, type CalibrationErrorOptions } from './classification/calibrationError.js';
export { ConfusionMatrix, type ConfusionMatrixOptions } from './classification/confusionMatrix.js';
export type { CountOptions, RateOptions } from './classification/countOptions.js';
export { F1Score, FBetaScore, type FBetaScoreOptions } from './classification/fScores.js';
export { JaccardIndex, type JaccardIndexOptions } from './classification/jaccardIndex.js';
export {
  PrecisionRecallCurve,
  type PrecisionRecall,
  type PrecisionRecallCurveOptions,
} from './classification/precisionRecallCurve.js';
export { ROC, type RocCurve, type RocOptions } from './classification/roc.js';
export { Metric } from './metric.js';
export { MetricCollection, type MetricCollectionOptions } from './metricCollection.js';
export { MeanAbsoluteError, MeanSquaredError, type MeanSquaredErrorOptions } from './regression/errors.js';
export type { Gathers, MetricState, Reduction } from './states.js';
