import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AiforgeError, BaseDataset, cat, data, resolveData, validate, type LoadContext, type Splits, type Tensor } from 'aiforge'; // prettier-ignore
import { z } from 'zod';

/** A picture, uint8 [28, 28], and its class; no class where it is not known. */
export interface Item {
  image: Tensor;
  label?: number;
}

const Args = z.strictObject({
  trainExamples: z.int().min(2).default(60_000).describe('Use the first so many for training and validation; default 60000'), // prettier-ignore
  valExamples: z.int().min(1).default(5000).describe('Of these, validate on the last so many; default 5000'),
  testExamples: z.int().min(1).default(10_000).describe('Test on the first so many; default 10000'),
});

/**
 * Fashion-MNIST: 60,000 pictures to train and to validate on, and its own 10,000 to test on.
 *
 * `dataPath` is a folder with the four IDX files, packed by gzip or not. `datasetArgs`: `trainExamples`, `valExamples`, `testExamples`.
 */
export class Dataset extends BaseDataset<Item> {
  override readonly classNames: readonly string[] = [
    ...['T-shirt', 'trouser', 'pullover', 'dress', 'coat'],
    ...['sandal', 'shirt', 'sneaker', 'bag', 'boot'],
  ];
  /** Where the files are to be had. */
  protected readonly remedy: string =
    'On Debian: apt-get install dataset-fashion-mnist, and dataPath: /usr/share/datasets/fashion-mnist; elsewhere: the four files of https://github.com/zalandoresearch/fashion-mnist.';
  private images!: Tensor;
  private labels: number[] = [];
  private sizes!: z.infer<typeof Args>;

  get length(): number {
    return this.labels.length;
  }

  get(index: number): Item {
    return { image: this.images.select(0, index), label: this.labels[index]! };
  }

  async loadData(dataPath: string, { args, logger }: LoadContext): Promise<void> {
    this.sizes = validate(Args, args, { source: 'the experiment', under: ['datasetArgs'] });
    const { trainExamples, valExamples, testExamples } = this.sizes;
    if (valExamples >= trainExamples) {
      throw new AiforgeError(
        'CONFIG_INVALID',
        `datasetArgs.valExamples is ${valExamples}, of ${trainExamples} trainExamples: leave some to train on.`,
      );
    }
    const folder = resolveData(dataPath, 'data');
    const train = await this.readPart(folder, 'train', 'trainExamples', trainExamples);
    const test = await this.readPart(folder, 't10k', 'testExamples', testExamples);
    this.images = cat([train.images, test.images]);
    this.labels = cat([train.labels, test.labels]).tolist();
    logger.info(`Read ${trainExamples - valExamples} pictures to train on, ${valExamples} to validate and ${testExamples} to test on`); // prettier-ignore
  }

  /** The test split is the published one: its pictures are never trained on. */
  override splits(): Splits {
    const { trainExamples, valExamples, testExamples } = this.sizes;
    return {
      train: range(0, trainExamples - valExamples),
      val: range(trainExamples - valExamples, valExamples),
      test: range(trainExamples, testExamples),
    };
  }

  /** The first `count` pictures of the published training or test part, and their classes. */
  private async readPart(
    folder: string,
    part: 'train' | 't10k',
    setting: 'trainExamples' | 'testExamples',
    count: number,
  ): Promise<{ images: Tensor; labels: Tensor }> {
    const images = await data.readIdx(this.fileOf(folder, `${part}-images-idx3-ubyte`));
    const labels = await data.readIdx(this.fileOf(folder, `${part}-labels-idx1-ubyte`));
    const [size = 0] = labels.shape;
    if (String(images.shape) !== `${size},28,28` || labels.ndim !== 1) {
      throw new AiforgeError(
        'FILE_INVALID',
        `The files ${part}-* in '${folder}' have pictures of [${images.shape.join(', ')}] and classes of [${labels.shape.join(', ')}]; ` +
          'expected [n, 28, 28] and [n].',
      );
    }
    if (count > size) {
      throw new AiforgeError('CONFIG_INVALID', `datasetArgs.${setting} is ${count}, and ${part}-* in '${folder}' have ${size}.`); // prettier-ignore
    }
    return { images: images.narrow(0, 0, count), labels: labels.narrow(0, 0, count) };
  }

  private fileOf(folder: string, name: string): string {
    const file = [join(folder, name), join(folder, `${name}.gz`)].find((each) => existsSync(each));
    if (file !== undefined) return file;
    throw new AiforgeError('FILE_NOT_FOUND', `There is neither ${name} nor ${name}.gz in '${folder}'. ${this.remedy}`);
  }
}

const range = (start: number, count: number): number[] => Array.from({ length: count }, (_, i) => start + i);
