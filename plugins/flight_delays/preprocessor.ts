import { BasePreprocessor, type Tensor } from 'aiforge';
import {
  ColumnTransformer,
  OneHotEncoder,
  StandardScaler,
  TargetEncoder,
  type TableColumns,
} from 'aiforge/preprocessing';
import type { Item } from './dataset.js';

export interface Sample {
  features: Tensor; // (block, 28)
  delay?: Tensor; // (block,), minutes
}

const hours = Array.from({ length: 24 }, (_, hour) => hour);

/** Columns of `features`. */
export const features = 3 + 24 + 1;

/** Scales the distance, and encodes where, when and on which day flights went by how late those were that it was fitted to. */
export class Preprocessor extends BasePreprocessor<Item, Sample> {
  private readonly columns = new ColumnTransformer([
    ['places', new TargetEncoder({ target: 'delay', targetType: 'continuous' }), ['origin', 'destination', 'day']],
    ['hour', new OneHotEncoder({ categories: { hour: hours } }), ['hour']],
    ['distance', new StandardScaler(), ['distance']],
  ]);

  override fit(items: Iterable<Item> & AsyncIterable<Item>): Promise<void> {
    return this.columns.fit(items as AsyncIterable<TableColumns & Item>);
  }

  transform(item: Item): Sample {
    const { delay } = item;
    const sample = { features: this.columns.transform(item as TableColumns & Item) };
    return delay === undefined ? sample : { ...sample, delay: delay.to('float32') };
  }

  inverseTransform(): Item {
    throw new Error('A mean of delays does not say which airport it was.');
  }

  state(): unknown {
    return this.columns.state();
  }

  restore(state: unknown): void {
    this.columns.restore(state);
  }
}
