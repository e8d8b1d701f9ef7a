export { MaxMetric, MeanMetric, MinMetric, SumMetric, type AggregationOptions } from './aggregation.js';
export { PeakSignalNoiseRatio, type PeakSignalNoiseRatioOptions } from './image/peakSignalNoiseRatio.js';
export { StructuralSimilarityIndexMeasure, type StructuralSimilarityOptions } from './image/structuralSimilarity.js';
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
export { PearsonCorrCoef, SpearmanCorrCoef } from './regression/correlation.js';
export { MeanAbsoluteError, MeanSquaredError, type MeanSquaredErrorOptions } from './regression/errors.js';
export { ExplainedVariance, R2Score, type ExplainedVarianceOptions, type R2ScoreOptions } from './regression/explainedVariance.js'; // prettier-ignore
export { MeanAbsolutePercentageError } from './regression/percentageError.js';
export type { Gathers, MetricState, Reduction } from './states.js';
export { BLEUScore, type BLEUScoreOptions } from './text/bleu.js';
export { EditDistance, type EditDistanceOptions } from './text/editDistance.js';
export { CharErrorRate, WordErrorRate } from './text/errorRates.js';
export { Perplexity, type PerplexityOptions } from './text/perplexity.js';
export { ROUGEScore, type ROUGEScoreOptions } from './text/rouge.js';
