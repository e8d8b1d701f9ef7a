import { z } from 'zod';

import type { Tensor } from '../../tensor/index.js';
import type { SavedMetrics } from '../training/measuring/loggedMetrics.js';

/** What a checkpoint says of metrics beside their tensors: on each rank the batches, and of each state its tensors, or one. */
export const MetricTexts = z.record(
  z.string(),
  z.object({
    property: z.string(),
    ranks: z.array(
      z.object({ updates: z.int().min(0), states: z.record(z.string(), z.union([z.literal('one'), z.int().min(0)])) }),
    ),
  }),
);
type MetricTexts = z.infer<typeof MetricTexts>;

export function metricTexts(metrics: SavedMetrics): MetricTexts {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, { property, ranks }]) => [
      name,
      {
        property,
        ranks: ranks.map(({ updates, states }) => ({
          updates,
          states: Object.fromEntries(
            Object.entries(states).map(([state, value]) => [state, Array.isArray(value) ? value.length : 'one']),
          ),
        })),
      },
    ]),
  );
}

/** The tensor of a state by a name of its own: `0.sum.accuracy`, those of a list `0.all.3.accuracy`. */
const keyOf = (rank: number, state: string, item: number | null, name: string) =>
  [rank, state, ...(item === null ? [] : [item]), name].join('.');

export function metricTensors(metrics: SavedMetrics): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, { ranks }] of Object.entries(metrics)) {
    ranks.forEach(({ states }, rank) => {
      for (const [state, value] of Object.entries(states)) {
        if (Array.isArray(value)) value.forEach((item, i) => (tensors[keyOf(rank, state, i, name)] = item));
        else tensors[keyOf(rank, state, null, name)] = value;
      }
    });
  }
  return tensors;
}

/** What `metricTexts` and `metricTensors` gave; undefined where a tensor is missing. */
export function savedMetrics(texts: MetricTexts, tensors: Record<string, Tensor>): SavedMetrics | undefined {
  let isWhole = true;
  const take = (key: string): Tensor => {
    isWhole &&= key in tensors;
    return tensors[key]!;
  };
  const metrics: SavedMetrics = {};
  for (const [name, { property, ranks }] of Object.entries(texts)) {
    const ofRank = ({ updates, states }: MetricTexts[string]['ranks'][number], rank: number) => ({
      updates,
      states: Object.fromEntries(
        Object.entries(states).map(([state, count]) => [
          state,
          count === 'one'
            ? take(keyOf(rank, state, null, name))
            : Array.from({ length: count }, (_, i) => take(keyOf(rank, state, i, name))),
        ]),
      ),
    });
    metrics[name] = { property, ranks: ranks.map(ofRank) };
  }
  return isWhole ? metrics : undefined;
}
