import { Metric } from '../../../metrics/index.js';
import type { Module } from '../../../nn/index.js';

type AnyMetric = Metric<never[], unknown>;

/** The metrics that a model and its modules have as properties. */
function metricsOf(model: Module): AnyMetric[] {
  return [...model.modules()].flatMap((module) =>
    (Object.values(module) as unknown[]).filter((value): value is AnyMetric => value instanceof Metric),
  );
}

/** Remembers what the metrics of a model have; calling the result takes back what a batch adds to them. */
export function markMetrics(model: Module): () => void {
  const marks = metricsOf(model).map((metric) => metric.mark());
  return () => marks.forEach((takeBack) => takeBack());
}

/** Lets the metrics of a model begin anew, for a pass of their own; calling the result gives them back what they had. */
export function setMetricsAside(model: Module): () => void {
  const before = metricsOf(model).map((metric) => ({ metric, state: metric.stateDict() }));
  for (const { metric } of before) metric.reset();
  return () => before.forEach(({ metric, state }) => metric.loadStateDict(state));
}
