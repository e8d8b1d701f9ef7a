import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { Generator, manualSeed, rand, stack, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { reference } from '../support/reference.mjs';
import { createPreprocessor, failure, loadDataset, train } from './experiments.mjs';

interface Item {
  image: Tensor;
  label?: number;
}

interface Sample {
  image: Tensor;
  labels?: Tensor;
}

const published = '/usr/share/datasets/fashion-mnist';

function idx(sizes: number[], bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.set([0, 0, 8, sizes.length]);
  sizes.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([head, bytes]);
}

/** Pictures of noise, in which the row of the class is bright. */
function pictures(count: number, seed: number): [images: Buffer, labels: Buffer] {
  const pixels = rand([count, 28, 28], { generator: new Generator().manualSeed(seed) }).mul(150);
  const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7 + (i % 3)) % 10);
  labels.forEach((label, i) =>
    pixels
      .select(0, i)
      .narrow(0, 4 + 2 * label, 2)
      .add_(100),
  );
  const bytes = pixels.to('uint8').toTypedArray() as Uint8Array;
  return [idx([count, 28, 28], bytes), idx([count], labels)];
}

describe('fashion_mnist', () => {
  const folder = temporaryFolder('fashion-mnist');
  const made = path.join(folder, 'pictures');
  const small = ['datasetArgs.trainExamples=700', 'datasetArgs.valExamples=100', 'datasetArgs.testExamples=200'];
  const bounded = [`dataPath=${made}`, ...small, 'training.epochs=3', 'training.batchSize=20', 'training.numThreads=1'];

  before(() => {
    mkdirSync(made);
    const [images, labels] = pictures(800, 1);
    writeFileSync(path.join(made, 'train-images-idx3-ubyte'), images);
    writeFileSync(path.join(made, 'train-labels-idx1-ubyte'), labels);
    const [testImages, testLabels] = pictures(200, 2);
    writeFileSync(path.join(made, 't10k-images-idx3-ubyte.gz'), gzipSync(testImages));
    writeFileSync(path.join(made, 't10k-labels-idx1-ubyte.gz'), gzipSync(testLabels));
  });

  it('reads files as they are and packed, and tests on the published test part', async () => {
    const dataset = await loadDataset<Item>('fashion_mnist', made, {
      trainExamples: 700,
      valExamples: 100,
      testExamples: 50,
    });
    expect(dataset.length).to.equal(750);
    const { train, val, test } = dataset.splits!();
    expect([train.length, val.length, test.length]).to.deep.equal([600, 100, 50]);
    expect([train[0], train.at(-1), val[0], val.at(-1), test[0], test.at(-1)]).to.deep.equal([
      0, 599, 600, 699, 700, 749,
    ]);
    const [images, labels] = pictures(200, 2);
    expect(dataset.get(703).label).to.equal(labels[8 + 3]);
    const bytes = dataset.get(703).image.contiguous().toTypedArray() as Uint8Array;
    expect([...bytes]).to.deep.equal([...images.subarray(16 + 3 * 784, 16 + 4 * 784)]);
  });

  it('scales the training split to the mean 0 and the deviation 1, and back', async function () {
    this.timeout(20_000);
    const dataset = await loadDataset<Item>('fashion_mnist', made, { trainExamples: 700, valExamples: 100, testExamples: 50 }); // prettier-ignore
    const items = Array.from({ length: 600 }, (_, i) => dataset.get(i));
    const preprocessor = createPreprocessor<Item, Sample>('fashion_mnist');
    expect(() => preprocessor.transform(items[0]!)).to.throw('call fit or load first');
    await preprocessor.fit(items, {});
    const pixels = stack(items.map((item) => preprocessor.transform(item).image)).to('float64');
    expect(pixels.mean().item<number>()).to.be.closeTo(0, 1e-5);
    expect(pixels.square().mean().item<number>()).to.be.closeTo(1, 1e-5);
    const back = preprocessor.inverseTransform(preprocessor.transform(items[5]!));
    expect(back.image.tolist()).to.deep.equal(items[5]!.image.tolist());
    expect(back.label).to.equal(items[5]!.label);
    const other = createPreprocessor<Item, Sample>('fashion_mnist');
    other.restore(JSON.parse(JSON.stringify(preprocessor.state())));
    expect(other.transform(items[7]!).image.equal(preprocessor.transform(items[7]!).image)).to.equal(true);
    expect(() => other.restore({ mean: 1 })).to.throw('Not a state');
  });

  it('learns, and tells the accuracy of the most frequent class beside its own', async function () {
    this.timeout(120_000);
    const { test } = await train('fashion_mnist', folder, [...bounded, 'training.averaging=null']);
    expect(test!.metrics.baseline_accuracy).to.be.within(0.05, 0.2);
    expect(test!.accuracy).to.be.greaterThan(2 * test!.metrics.baseline_accuracy!);
  });

  it('has the losses and accuracies of the same training in Python', async function () {
    this.timeout(180_000);
    const options = ['--train=700', '--val=100', '--test=200', '--epochs=2', '--batch-size=20', '--decay=0.9'];
    const theirs = JSON.parse(reference(this, 'fashion_mnist.py', made, ...options)) as Record<
      string,
      number[] | number
    >;
    manualSeed(1);
    const { history, test } = await train('fashion_mnist', folder, [
      ...bounded,
      'training.epochs=2',
      'training.averaging.decay=0.9',
    ]);
    expect(test!.accuracy).to.be.greaterThan(0.2);
    expect(history.map(({ val_accuracy }) => val_accuracy)).to.deep.equal(theirs.val_accuracy);
    expect(history.map(({ train_loss }) => train_loss)).to.deep.equal(theirs.train_loss);
    expect(test!.accuracy).to.equal(theirs.test_accuracy);
  });

  it('learns the published pictures', async function () {
    this.timeout(300_000);
    if (!existsSync(published)) {
      console.log(`      skipped: there is no ${published}; on Debian: apt-get install dataset-fashion-mnist`);
      return this.skip();
    }
    const { test } = await train('fashion_mnist', folder, [
      ...['training.epochs=1', 'training.batchSize=64', 'training.averaging=null', 'training.numThreads=1'],
      ...['datasetArgs.trainExamples=7000', 'datasetArgs.valExamples=1000', 'datasetArgs.testExamples=1000'],
    ]);
    expect(test!.accuracy).to.be.greaterThan(0.6);
  });

  it('says how to get the pictures where they are missing, and what is wrong with files', async () => {
    const absent = await failure(loadDataset('fashion_mnist', '/no/pictures'));
    expect(absent).to.include({ code: 'FILE_NOT_FOUND' });
    expect(absent.message).to.include('/no/pictures').and.to.include('apt-get install dataset-fashion-mnist');
    const broken = path.join(folder, 'broken');
    mkdirSync(broken);
    const file = path.join(broken, 'train-images-idx3-ubyte');
    const images = readFileSync(path.join(made, 'train-images-idx3-ubyte'));
    for (const [bytes, reason] of [
      [images.subarray(0, 1000), /627216 bytes with it, and it has 1000 bytes/],
      [Buffer.from('not an IDX file'), /it is no IDX file: it begins with bytes 110/],
      [Buffer.alloc(0), /it ends at byte 0, in the middle/],
    ] as const) {
      writeFileSync(file, bytes);
      const error = await failure(loadDataset('fashion_mnist', broken));
      expect(error).to.include({ code: 'FILE_INVALID' });
      expect(error.message).to.match(reason);
    }
    writeFileSync(`${file}.gz`, 'no gzip');
    writeFileSync(file, images);
    expect((await failure(loadDataset('fashion_mnist', broken))).message).to.include('train-labels-idx1-ubyte');
  });

  it('refuses settings that do not fit', async () => {
    for (const [args, reason] of [
      [{ trainExample: 5 }, /trainExample.*trainExamples/s],
      [{ trainExamples: 100, valExamples: 100, testExamples: 10 }, /valExamples is 100, of 100/],
      [{ trainExamples: 900, valExamples: 100, testExamples: 10 }, /trainExamples is 900, and train-\* .* have 800/],
    ] as const) {
      const error = await failure(loadDataset('fashion_mnist', made, args));
      expect(error).to.include({ code: 'CONFIG_INVALID' });
      expect(error.message).to.match(reason);
    }
  });

  it('takes pictures without a class', async () => {
    const dataset = await loadDataset<Item>('fashion_mnist', made, { trainExamples: 700, valExamples: 100, testExamples: 50 }); // prettier-ignore
    const preprocessor = createPreprocessor<Item, Sample>('fashion_mnist');
    await preprocessor.fit([dataset.get(0)], {});
    expect(preprocessor.transform({ image: tensor(new Uint8Array(784)).reshape(28, 28) }).labels).to.equal(undefined);
  });
});
