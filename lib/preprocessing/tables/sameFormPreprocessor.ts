import type { Tensor } from '../../tensor/index.js';
import type { TableColumns, TableItem, TableRow } from './frame.js';
import { TablePreprocessor } from './tablePreprocessor.js';

/** A preprocessor of tables that gives what it is given: columns for columns, a row for a row, a matrix for a matrix. */
export abstract class SameFormPreprocessor<Learnt> extends TablePreprocessor<Learnt> {
  /** The item with its columns transformed, in the form that it has. Throws for columns that are missing, or were not there in fit. */
  override transform(item: Tensor): Tensor;
  override transform(item: TableColumns): TableColumns;
  override transform(item: TableRow): TableRow;
  override transform(item: TableItem): TableItem;
  override transform(...items: [TableItem]): TableItem {
    return super.transform(...items);
  }

  /** The item that `transform` gave this for, as far as it can be had back, in the form that it has. */
  override inverseTransform(sample: Tensor): Tensor;
  override inverseTransform(sample: TableColumns): TableColumns;
  override inverseTransform(sample: TableRow): TableRow;
  override inverseTransform(sample: TableItem): TableItem;
  override inverseTransform(...samples: [TableItem]): TableItem {
    return super.inverseTransform(...samples);
  }
}
