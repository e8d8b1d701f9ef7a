export { MaxMetric, MeanMetric, MinMetric, SumMetric, type AggregationOptions } from './aggregation.js';
export { PeakSignalNoiseRatio, type PeakSignalNoiseRatioOptions } from './image/peakSignalNoiseRatio.js';
export { StructuralSimilarityIndexMeasure, type StructuralSimilarityOptions } from './image/structuralSimilarity.js';
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
