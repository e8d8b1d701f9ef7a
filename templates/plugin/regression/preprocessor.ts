import { BasePreprocessor, tensor, type Tensor } from 'aiforge';

import type { Item } from './dataset.js';

/** What the model gets of one item; a batch has the tensors of several, stacked. */
interface Sample {
  features: Tensor;
  targets?: Tensor;
}

/** Mean and standard deviation of each column. */
interface Scale {
  means: number[];
  deviations: number[];
}

/** Scales features and targets so that their means are 0 and their standard deviations 1 over the training samples. */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private features: Scale = { means: [], deviations: [] };
  private target: Scale = { means: [], deviations: [] };

  /** Learns from the training samples alone; called once, before training. */
  fit(items: Iterable<Item>, _args: Record<string, unknown>): void {
    const all = [...items];
    this.features = scaleOf(all.map(({ features }) => features));
    this.target = scaleOf(all.map(({ target }) => [target!]));
  }

  transform({ features, target }: Item): Sample {
    const sample = { features: tensor(scaled(features, this.features), { dtype: 'float32' }) };
    if (target === undefined) return sample;
    return { ...sample, targets: tensor(scaled([target], this.target), { dtype: 'float32' }) };
  }

  inverseTransform({ features, targets }: Sample): Item {
    const item = { features: unscaled(features.tolist<number[]>(), this.features) };
    if (targets === undefined) return item;
    return { ...item, target: unscaled(targets.tolist<number[]>(), this.target)[0]! };
  }

  /** What `fit` has learnt, as JSON: it is kept with the trained model. */
  state(): unknown {
    return { features: this.features, target: this.target };
  }

  restore(state: unknown): void {
    const { features, target } = state as { features: Scale; target: Scale };
    this.features = features;
    this.target = target;
  }
}

function scaleOf(rows: number[][]): Scale {
  const all = tensor(rows, { dtype: 'float64' });
  // A column that is always the same has the deviation 0, by which nothing can be divided.
  const deviations = all
    .std(0)
    .tolist<number[]>()
    .map((deviation) => deviation || 1);
  return { means: all.mean(0).tolist<number[]>(), deviations };
}

const scaled = (values: number[], { means, deviations }: Scale): number[] =>
  values.map((value, i) => (value - means[i]!) / deviations[i]!);

const unscaled = (values: number[], { means, deviations }: Scale): number[] =>
  values.map((value, i) => value * deviations[i]! + means[i]!);
