export { Metric } from './metric.js';
export { MetricCollection, type MetricCollectionOptions } from './metricCollection.js';
export { MeanAbsoluteError, MeanSquaredError, type MeanSquaredErrorOptions } from './regression/errors.js';
export type { Gathers, MetricState, Reduction } from './states.js';
