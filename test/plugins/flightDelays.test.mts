import { type Tensor } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { createPreprocessor, failure, loadDataset, train } from './experiments.mjs';

interface Item {
  delay?: Tensor;
  distance: Tensor;
  origin: string[];
  destination: string[];
  hour: Tensor;
  day: Tensor;
}

interface Sample {
  features: Tensor;
  delay?: Tensor;
}

describe('flight_delays', () => {
  const folder = temporaryFolder('flight-delays');

  it('gives flights in blocks, the same ones every time', async () => {
    const args = { flights: 1000, block: 32 };
    const [dataset, again] = [
      await loadDataset<Item>('flight_delays', 'npm:vega-datasets', args),
      await loadDataset<Item>('flight_delays', 'npm:vega-datasets', args),
    ];
    expect(dataset.length).to.equal(31);
    const { delay, origin, hour } = dataset.get(5);
    expect([delay!.shape, origin.length]).to.deep.equal([[32], 32]);
    expect(hour.tolist<number[]>().every((value) => value >= 0 && value < 24)).to.equal(true);
    expect(again.get(5).origin).to.deep.equal(origin);
    expect(new Set(origin).size).to.be.greaterThan(10);
  }).timeout(60_000);

  it('encodes what it was fitted to, and takes flights whose delay is not known', async () => {
    const dataset = await loadDataset<Item>('flight_delays', 'npm:vega-datasets', { flights: 2000, block: 100 });
    const items = Array.from({ length: dataset.length }, (_, i) => dataset.get(i));
    const preprocessor = createPreprocessor<Item, Sample>('flight_delays');
    await preprocessor.fit(items, {});
    const { delay, ...asked } = items[0]!;
    const sample = preprocessor.transform(items[0]!);
    expect(sample.features.shape).to.deep.equal([100, 28]);
    expect(sample.delay!.tolist()).to.deep.equal(delay!.tolist());
    expect(preprocessor.transform(asked).features.equal(sample.features)).to.equal(true);
    const other = createPreprocessor<Item, Sample>('flight_delays');
    other.restore(JSON.parse(JSON.stringify(preprocessor.state())));
    expect(other.transform(items[1]!).features.equal(preprocessor.transform(items[1]!).features)).to.equal(true);
  }).timeout(60_000);

  it('learns more than the mean delay', async function () {
    this.timeout(120_000);
    const settings = ['datasetArgs.flights=60000', 'training.numThreads=1'];
    const { test } = await train('flight_delays', folder, settings);
    const { rmse, r2, baseline_rmse: mean, mae, baseline_mae: meanMae } = test!.metrics;
    expect(r2).to.be.greaterThan(0.03);
    expect(rmse).to.be.lessThan(mean!);
    expect(mae).to.be.lessThan(meanMae!);
  });

  it('says what is missing, and what is too much', async () => {
    const absent = await failure(loadDataset('flight_delays', 'npm:no-such-package'));
    expect(absent.message).to.match(/npm:no-such-package.*not installed.*npm install no-such-package/);
    const many = await failure(loadDataset('flight_delays', 'npm:vega-datasets', { flights: 3_000_001 }));
    expect(many).to.include({ code: 'CONFIG_INVALID' });
  }).timeout(60_000);
});
