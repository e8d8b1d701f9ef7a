import { BasePreprocessor, tensor, type Tensor } from 'aiforge';

import type { Item } from './dataset.js';

/** What the model gets of one item; a batch has the tensors of several, stacked. */
interface Sample {
  features: Tensor;
  labels?: Tensor;
}

/** Scales each number so that its mean is 0 and its standard deviation 1 over the training samples. */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private means: number[] = [];
  private deviations: number[] = [];

  /** Learns from the training samples alone; called once, before training. */
  fit(items: Iterable<Item>, _args: Record<string, unknown>): void {
    const rows = Array.from(items, ({ features }) => features);
    const all = tensor(rows, { dtype: 'float64' });
    this.means = all.mean(0).tolist<number[]>();
    // A number that is always the same has the deviation 0, by which nothing can be divided.
    this.deviations = all
      .std(0)
      .tolist<number[]>()
      .map((deviation) => deviation || 1);
  }

  transform({ features, label }: Item): Sample {
    const scaled = features.map((value, i) => (value - this.means[i]!) / this.deviations[i]!);
    const sample = { features: tensor(scaled, { dtype: 'float32' }) };
    return label === undefined ? sample : { ...sample, labels: tensor(label) };
  }

  inverseTransform({ features, labels }: Sample): Item {
    const scaled = features.tolist<number[]>();
    const item = { features: scaled.map((value, i) => value * this.deviations[i]! + this.means[i]!) };
    return labels === undefined ? item : { ...item, label: Number(labels.item()) };
  }

  /** What `fit` has learnt, as JSON: it is kept with the trained model. */
  state(): unknown {
    return { means: this.means, deviations: this.deviations };
  }

  restore(state: unknown): void {
    const { means, deviations } = state as { means: number[]; deviations: number[] };
    this.means = means;
    this.deviations = deviations;
  }
}
