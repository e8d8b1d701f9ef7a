import type { Frame } from '../tables/frame.js';
import { SameFormPreprocessor } from '../tables/sameFormPreprocessor.js';
import { CategoryCounts } from './categories.js';

/** A preprocessor that counts the values of each column. */
export abstract class CategoryEncoder<Learnt> extends SameFormPreprocessor<Learnt> {
  protected seen: CategoryCounts[] = [];

  protected override begin(): void {
    this.seen = [];
  }

  protected override learn(frame: Frame): void {
    frame.columns.forEach((column, i) => {
      (this.seen[i] ??= new CategoryCounts()).add(`${this.kind}.fit`, frame.names[i]!, column);
    });
  }
}
