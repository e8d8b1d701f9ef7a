import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { cat, data, Generator, linalg, loadPlugin, ones, randn, stack, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';

import { temporaryFolder } from '../support/project.mjs';
import { createPreprocessor, failure, loadDataset, train } from './experiments.mjs';

interface Item {
  horsepower: number | null;
  milesPerGallon?: number;
}

interface Sample {
  features: Tensor;
  targets?: Tensor;
}

/** Cars whose mileage falls with the weight, and not in a straight line. */
function cars(count: number) {
  const draws = randn([count, 6], { generator: new Generator().manualSeed(5) }).tolist<number[][]>();
  return draws.map(([weight, power, cylinders, year, noise, displacement], i) => ({
    Name: `car ${i}`,
    Miles_per_Gallon: i % 50 === 0 ? null : 22 + 4 * Math.exp(-1.2 * weight!) - 1.5 * power! + 0.3 * noise!,
    Cylinders: 4 + 2 * Math.round(Math.abs(cylinders!)),
    Displacement: 200 + 20 * displacement!,
    Horsepower: i % 20 === 1 ? null : 100 + 30 * power!,
    Weight_in_lbs: 3000 + 500 * weight!,
    Acceleration: 15,
    Year: `19${70 + (Math.round(Math.abs(4 * year!)) % 13)}-01-01`,
    Origin: ['USA', 'Europe', 'Japan'][i % 3]!,
  }));
}

describe('car_mileage', () => {
  const folder = temporaryFolder('car-mileage');
  const file = path.join(folder, 'cars.json');
  const settings = [`dataPath=${file}`, 'training.epochs=60', 'training.numThreads=1'];

  before(() => {
    writeFileSync(file, JSON.stringify(cars(400)));
  });

  it('leaves cars out whose mileage is not known, and puts the mean in the place of what else is not', async () => {
    const dataset = await loadDataset<Item>('car_mileage', file);
    expect(dataset.length).to.equal(392);
    const items = Array.from({ length: dataset.length }, (_, i) => dataset.get(i));
    const preprocessor = createPreprocessor<Item, Sample>('car_mileage');
    expect(() => preprocessor.transform(items[0]!)).to.throw('call fit or load first');
    await preprocessor.fit(items, {});
    const rows = stack(items.map((item) => preprocessor.transform(item).features));
    expect(rows.shape).to.deep.equal([392, 8]);
    const known = rows.index([tensor(items.map(({ horsepower }) => horsepower !== null))]);
    expect(known.mean(0).at(2).item<number>()).to.be.closeTo(0, 1e-5);
    expect(rows.mean(0).narrow(0, 0, 6).abs().max().item<number>()).to.be.lessThan(1e-5);
    expect(known.std(0, { unbiased: false }).at(2).item<number>()).to.be.closeTo(1, 1e-5);
    const unknown = items.findIndex(({ horsepower }) => horsepower === null);
    expect(rows.at(unknown, 2).item()).to.equal(0);
    const back = preprocessor.inverseTransform(preprocessor.transform(items[7]!)) as unknown as Record<string, number>;
    for (const [name, value] of Object.entries(items[7]!)) {
      if (typeof value === 'number') expect(back[name]).to.be.closeTo(value, 1e-3, name);
      else expect(back[name]).to.equal(value);
    }
    expect(preprocessor.transform({ ...items[7]!, milesPerGallon: undefined }).targets).to.equal(undefined);
  });

  it('is better than least squares where the truth is no plane, and tells their errors as they are', async function () {
    this.timeout(120_000);
    const { test, runDirectory } = await train('car_mileage', folder, settings);
    const { mae, r2, within_2: within, baseline_mae: baselineMae, baseline_r2: baselineR2 } = test!.metrics;
    expect(r2).to.be.greaterThan(baselineR2!);
    expect(mae).to.be.lessThan(baselineMae!);
    expect(within).to.be.within(0, 1);
    expect(baselineMae).to.be.closeTo(await leastSquares(runDirectory), 1e-4);
  });

  /** The mean error on the test split of a fit to all rows of the training split at once. */
  async function leastSquares(runDirectory: string): Promise<number> {
    const dataset = await loadDataset<Item>('car_mileage', file);
    const preprocessor = createPreprocessor<Item, Sample>('car_mileage');
    preprocessor.load(path.join(runDirectory, 'preprocessor.json'));
    const held = Math.floor(dataset.length * 0.2);
    const samples = Array.from({ length: dataset.length }, (_, i) => preprocessor.transform(dataset.get(i)));
    const parts = data.randomSplit(samples, [samples.length - 2 * held, held, held], new Generator().manualSeed(42));
    const [fitted, , tested] = parts.map(({ indices }) => {
      const x = stack(indices.map((i) => samples[i]!.features)).to('float64');
      const y = stack(indices.map((i) => samples[i]!.targets!)).to('float64');
      return { x: cat([x, ones([indices.length, 1], { dtype: 'float64' })], 1), y: y.unsqueeze(1) };
    });
    const solution = linalg.lstsq(fitted!.x, fitted!.y, { driver: 'gelsd' })[0];
    return tested!.x.mm(solution).sub(tested!.y).abs().mean().item<number>();
  }

  it('counts predictions that are near', () => {
    const { Within } = loadModule(path.resolve('plugins/car_mileage/within.ts')) as {
      Within: new (distance: number) => { update: (a: Tensor, b: Tensor) => void; compute: () => Tensor };
    };
    const within = new Within(2);
    within.update(tensor([20, 25, 30]), tensor([22, 20, 30.5]));
    within.update(tensor([10]), tensor([13]));
    expect(within.compute().item()).to.equal(0.5);
  });

  it('learns the mileage of the real cars', async function () {
    this.timeout(120_000);
    const places = createRequire(import.meta.url).resolve.paths('vega-datasets')!;
    if (!places.some((place) => existsSync(path.join(place, 'vega-datasets')))) {
      console.log('      skipped: the package vega-datasets is not installed; npm install --no-save vega-datasets');
      return this.skip();
    }
    const { test } = await train('car_mileage', folder, ['training.numThreads=1']);
    expect(test!.metrics.r2).to.be.greaterThan(test!.metrics.baseline_r2!);
  });

  it('says how to get the cars where they are missing, and what is wrong with a file', async () => {
    expect(loadPlugin(path.resolve('plugins/car_mileage')).name).to.equal('car_mileage');
    for (const place of ['/no/cars.json', 'npm:no-such-package']) {
      const error = await failure(loadDataset('car_mileage', place));
      expect(error).to.include({ code: 'FILE_NOT_FOUND' });
      expect(error.message).to.include(place).and.to.include('npm install');
    }
    const broken = path.join(folder, 'broken.json');
    for (const [text, reason] of [
      ['[', /is no JSON/],
      ['[{"Year":"1970-01-01"}]', /is no list of cars/],
    ] as const) {
      writeFileSync(broken, text);
      const error = await failure(loadDataset('car_mileage', broken));
      expect(error).to.include({ code: 'FILE_INVALID' });
      expect(error.message).to.match(reason);
    }
  });
});
