import { expect } from 'chai';
import { manualSeed, ones, rand, type Tensor } from 'aiforge';
import { PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure, type Metric } from 'aiforge/metrics';
import { refusalOf } from '../support/refusal.mjs';
import { likeTorchmetrics } from './recordedCases.mjs';
import { typedItem } from './typedItems.mjs';

const said = (work: () => unknown): string => refusalOf(work).message;
const each = { dim: [1, 2, 3], dataRange: 1 };
const psnr = (options: ConstructorParameters<typeof PeakSignalNoiseRatio>[0]) => () =>
  new PeakSignalNoiseRatio(options);
const ssim = (options: ConstructorParameters<typeof StructuralSimilarityIndexMeasure>[0]) => () =>
  new StructuralSimilarityIndexMeasure(options);

describe('metrics of images', () => {
  likeTorchmetrics(
    'metrics_image.py',
    {
      PSNR: psnr({ dataRange: 1 }),
      'PSNR of volumes': psnr({ dataRange: 1 }),
      'PSNR bounds': psnr({ dataRange: [0.1, 0.9] }),
      'PSNR base': psnr({ dataRange: 2, base: 2 }),
      'PSNR same': psnr({ dataRange: 1 }),
      'PSNR each': psnr(each),
      'PSNR each sum': psnr({ ...each, reduction: 'sum' }),
      'PSNR each none': psnr({ ...each, reduction: 'none' }),
      'PSNR dim': psnr({ dataRange: 1, dim: -1, reduction: 'none' }),
      SSIM: ssim({ dataRange: 1 }),
      'SSIM measured range': ssim(undefined),
      'SSIM bounds': ssim({ dataRange: [0.1, 0.9] }),
      'SSIM sigma': ssim({ dataRange: 1, sigma: 0.7 }),
      'SSIM sigmas': ssim({ dataRange: 1, sigma: [0.7, 1.1] }),
      'SSIM uniform': ssim({ dataRange: 1, gaussianKernel: false }),
      'SSIM uniform size': ssim({ dataRange: 1, gaussianKernel: false, kernelSize: 5 }),
      'SSIM uniform sizes': ssim({ dataRange: 1, gaussianKernel: false, kernelSize: [3, 7] }),
      'SSIM sum': ssim({ dataRange: 1, reduction: 'sum' }),
      'SSIM none': ssim({ dataRange: 1, reduction: 'none' }),
      'SSIM k': ssim({ dataRange: 1, k1: 0.1, k2: 0.2 }),
      'SSIM same': ssim({ dataRange: 1 }),
      'SSIM volumes': ssim({ dataRange: 1 }),
      'SSIM volumes uniform': ssim({ dataRange: 1, gaussianKernel: false, kernelSize: [3, 5, 7] }),
      'SSIM volumes sigmas': ssim({ dataRange: 1, sigma: [0.5, 0.8, 1.1] }),
    },
    { prepare: typedItem },
  );

  const all: Record<string, () => Metric> = {
    PeakSignalNoiseRatio: psnr({ dataRange: 255 }),
    'PeakSignalNoiseRatio of each': psnr({ ...each, dataRange: 255 }),
    StructuralSimilarityIndexMeasure: ssim({ dataRange: 255 }),
  };
  for (const [name, make] of Object.entries(all)) {
    const value = (metric: Metric) => metric.compute().item();

    it(`${name} is the same however images are in batches and metrics, and takes bytes`, () => {
      manualSeed(3);
      const [x, y] = [rand([5, 2, 8, 9]), rand([5, 2, 8, 9])].map((at) => at.mul(255).to('uint8')) as [Tensor, Tensor];
      const [whole, one, other] = [make(), make(), make()];
      whole.update(x.to('float64'), y.to('float64'));
      const sizes = [1, 0, 3, 1];
      const parts = [x.split(sizes), y.split(sizes)] as const;
      sizes.forEach((_, i) => (i < 2 ? one : other).update(parts[0][i]!, parts[1][i]!));
      one.merge(other);
      expect(value(one)).to.be.closeTo(value(whole), 1e-12);
    });

    it(`${name} refuses a wrong batch, and counts nothing of it`, () => {
      const metric = make();
      metric.update(ones([1, 1, 8, 8]), ones([1, 1, 8, 8]).div(2));
      const before = value(metric);
      expect(said(() => metric.update(ones([1, 1, 8, 8]), ones([1, 1, 8, 9])))).to.match(/tensors of one shape/);
      expect(said(() => metric.update(1 as never, ones([1])))).to.match(/tensors of one shape, got 1 and float32/);
      expect(said(() => metric.update(ones([1, 1, 8, 8], { dtype: 'complex64' }), ones([1, 1, 8, 8])))).to.match(
        /real/,
      );
      expect(said(() => metric.update(ones([1, 1, 8, 8]), ones([1, 1, 8, 8], { device: 'meta' })))).to.match(
        /one device/,
      );
      expect([value(metric), metric.updateCount]).to.deep.equal([before, 1]);
    });
  }

  it('PSNR says what options it takes', () => {
    const wrong: [unknown, RegExp][] = [
      [undefined, /the option dataRange must be given/],
      [{}, /the option dataRange must be given/],
      [{ dataRange: 0 }, /dataRange must be a number above 0 or an array of the least and the greatest value, got 0/],
      [{ dataRange: [1, 0] }, /dataRange must be .*got \[1, 0\]/],
      [{ dataRange: 1, base: 1 }, /base must be a number above 1, got 1/],
      [{ dataRange: 1, reduction: 'sum' }, /reduction 'sum' is of several ratios, which there are with dim/],
    ];
    for (const [options, message] of wrong) expect(said(() => new PeakSignalNoiseRatio(options as never))).to.match(message); // prettier-ignore
    const batch = [ones([2, 2]), ones([2, 2])] as const;
    expect(said(() => new PeakSignalNoiseRatio(each).update(...batch))).to.match(/must have the dimensions \[1, 2, 3\], got float32\[2, 2\]/); // prettier-ignore
  });

  it('SSIM says what options and images it takes', () => {
    const wrong: [unknown, RegExp][] = [
      [{ kernelSize: 11 }, /kernelSize is of the uniform window, with gaussianKernel: false/],
      [{ gaussianKernel: false, sigma: 1 }, /sigma is of the Gaussian/],
      [{ gaussianKernel: false, kernelSize: 4 }, /kernelSize must be an odd number above 0 or .*got 4/],
      [{ sigma: 0 }, /sigma must be a number above 0/],
      [{ k1: -1 }, /k1 must be a number, 0 or more/],
    ];
    for (const [options, message] of wrong) expect(said(() => new StructuralSimilarityIndexMeasure(options as never))).to.match(message); // prettier-ignore
    const update = (options: object, shape: number[]) =>
      said(() => new StructuralSimilarityIndexMeasure(options).update(ones(shape), ones(shape)));
    expect(update({}, [3, 16, 16])).to.match(
      /\[batch, channels, height, width\], or with a depth .*got float32\[3, 16, 16\]/,
    );
    expect(update({}, [1, 3, 5, 16])).to.match(
      /of 6 x 6 pixels or more, for windows of 11 x 11, got float32\[1, 3, 5, 16\]/,
    );
    expect(update({ sigma: [1, 1] }, [1, 1, 9, 9, 9])).to.match(/sigma must be a number or 3 of them .*got \[1, 1\]/);
  });
});
