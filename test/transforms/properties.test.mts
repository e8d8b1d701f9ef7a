import { data, eye, Generator, manualSeed, nn, rand, tensor, zeros, type Tensor } from 'aiforge';
import * as transforms from 'aiforge/transforms';
import { expect } from 'chai';
import { hexOf } from '../support/exact.mjs';
import { image, images } from './likePython.mjs';

type Result = Tensor | Result[];

const t = transforms;
const { bytes, floats } = images as { bytes: Tensor; floats: Tensor };
const sound = image('float32', 2, 900);
const spectrum = image('float32', 2, 33, 20);
const batch = [image('float32', 4, 3, 9, 10), tensor([0, 2, 1, 2])];
const flip = new t.RandomHorizontalFlip();

/** A transform of each public class, with what it takes. */
const all: Record<string, readonly [transform: nn.Module, input: Tensor | readonly Tensor[]]> = {
  AmplitudeToDB: [new t.AmplitudeToDB('power', { topDb: 20 }), spectrum],
  AugMix: [new t.AugMix(), bytes],
  AutoAugment: [new t.AutoAugment(), bytes],
  CenterCrop: [new t.CenterCrop(9), bytes],
  ColorJitter: [new t.ColorJitter({ brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.2 }), bytes],
  Compose: [new t.Compose([new t.RandomCrop(9), flip]), bytes],
  ConvertImageDtype: [new t.ConvertImageDtype(), bytes],
  CutMix: [new t.CutMix({ numClasses: 3 }), batch],
  ElasticTransform: [new t.ElasticTransform({ sigma: 1 }), bytes],
  FiveCrop: [new t.FiveCrop(5), bytes],
  FrequencyMasking: [new t.FrequencyMasking(20, { iidMasks: true }), spectrum],
  GaussianBlur: [new t.GaussianBlur(3), floats],
  GaussianNoise: [new t.GaussianNoise(), floats],
  Grayscale: [new t.Grayscale(), bytes],
  Identity: [new t.Identity(), bytes],
  Lambda: [new t.Lambda((x, context) => flip.forward(x, context)), bytes],
  LinearTransformation: [new t.LinearTransformation(eye(60), zeros([60])), image('float32', 3, 4, 5)],
  MelScale: [new t.MelScale({ nMels: 8, nStft: 33 }), spectrum],
  MelSpectrogram: [new t.MelSpectrogram({ nFft: 128, nMels: 8 }), sound],
  MFCC: [new t.MFCC(8000, { nMfcc: 5, melkwargs: { nFft: 128, nMels: 8 } }), sound],
  MixUp: [new t.MixUp({ numClasses: 3 }), batch],
  MuLawDecoding: [new t.MuLawDecoding(), bytes],
  MuLawEncoding: [new t.MuLawEncoding(), sound],
  Normalize: [new t.Normalize([0.4, 0.5, 0.6], 0.2), floats],
  Pad: [new t.Pad(2), bytes],
  RandAugment: [new t.RandAugment(), bytes],
  RandomAdjustSharpness: [new t.RandomAdjustSharpness(2), bytes],
  RandomAffine: [new t.RandomAffine(30, { translate: [0.2, 0.2], shear: 10 }), bytes],
  RandomApply: [new t.RandomApply([flip]), bytes],
  RandomAutocontrast: [new t.RandomAutocontrast(), bytes],
  RandomChannelPermutation: [new t.RandomChannelPermutation(), bytes],
  RandomChoice: [new t.RandomChoice([flip, new t.Identity()]), bytes],
  RandomCrop: [new t.RandomCrop(10, { padding: 2 }), bytes],
  RandomEqualize: [new t.RandomEqualize(), bytes],
  RandomErasing: [new t.RandomErasing({ p: 1, value: 'random' }), floats],
  RandomGrayscale: [new t.RandomGrayscale(0.5), bytes],
  RandomHorizontalFlip: [flip, bytes],
  RandomInvert: [new t.RandomInvert(), bytes],
  RandomOrder: [new t.RandomOrder([flip, new t.RandomRotation(20)]), bytes],
  RandomPerspective: [new t.RandomPerspective({ p: 1 }), bytes],
  RandomPhotometricDistort: [new t.RandomPhotometricDistort(), bytes],
  RandomPosterize: [new t.RandomPosterize(2), bytes],
  RandomResize: [new t.RandomResize(8, 20), bytes],
  RandomResizedCrop: [new t.RandomResizedCrop(8), bytes],
  RandomRotation: [new t.RandomRotation(30), bytes],
  RandomShortestSize: [new t.RandomShortestSize([8, 9, 10]), bytes],
  RandomSolarize: [new t.RandomSolarize(100), bytes],
  RandomVerticalFlip: [new t.RandomVerticalFlip(), bytes],
  RandomZoomOut: [new t.RandomZoomOut({ p: 1 }), bytes],
  Resample: [new t.Resample(3, 2), sound],
  Resize: [new t.Resize(8), bytes],
  RGB: [new t.RGB(), images.grey!],
  ScaleJitter: [new t.ScaleJitter([12, 12], { scaleRange: [0.5, 2] }), bytes],
  Spectrogram: [new t.Spectrogram({ nFft: 64 }), sound],
  TenCrop: [new t.TenCrop(5), bytes],
  TimeMasking: [new t.TimeMasking(10), spectrum],
  ToDtype: [new t.ToDtype('float32', { scale: true }), bytes],
  TrivialAugmentWide: [new t.TrivialAugmentWide(), bytes],
};

const digest = (result: Result): unknown =>
  Array.isArray(result) ? result.map(digest) : [result.dtype, ...result.shape, hexOf(result)];
const seeded = (seed: number): Generator => new Generator().manualSeed(seed);

describe('every transform', () => {
  it('is listed here', () => {
    const isTransform = (value: unknown): boolean =>
      typeof value === 'function' && value.prototype instanceof nn.Module && value !== t.Transform;
    const names = Object.entries(t).filter(([, value]) => isTransform(value));
    expect(Object.keys(all).sort()).to.deep.equal(names.map(([name]) => name).sort());
  });

  for (const [name, [transform, input]] of Object.entries(all)) {
    const given = Array.isArray(input) ? (input as Tensor[]) : [input as Tensor];
    const apply = (...args: unknown[]): Result =>
      (transform.forward as (...args: unknown[]) => Result).apply(transform, args);
    const made = (...context: unknown[]): unknown => digest(apply(...given, ...context));

    it(`${name} draws from the generator that it is given alone, changes no input, and refuses what it does not know`, () => {
      const before = given.map(hexOf);
      for (const seed of [1, 2, 3]) {
        manualSeed(seed);
        const fromDefault = made();
        manualSeed(99);
        const next = rand([1]).item();
        manualSeed(99);
        expect(made({ generator: seeded(seed) })).to.deep.equal(fromDefault);
        expect(rand([1]).item(), 'the default generator').to.equal(next);
      }
      expect(given.map(hexOf)).to.deep.equal(before);
      expect(() => made({ generater: seeded(1) })).to.throw(/has no option 'generater'\. Did you mean 'generator'/);
      expect(() => made(seeded(1))).to.throw(/expected an options object/);
      // A function may take anything.
      if (name !== 'Lambda') expect(() => apply([1, 2])).to.throw(/must be a Tensor, got \[1, 2\]/);
      expect(String(transform)).to.match(new RegExp(`^${name}\\(`));
    });
  }
});

describe('transforms beside other parts', () => {
  it('make the samples of a dataset', () => {
    const augment = new t.Compose([new t.RandomCrop(8), flip, new t.ToDtype('float32', { scale: true })]);
    const samples = {
      length: 2,
      get: (i: number, context?: { generator: Generator }) => augment.forward(bytes.add(i), context),
    };
    const [a, b] = [samples.get(1, { generator: seeded(5) }), samples.get(1, { generator: seeded(5) })];
    expect(a.shape).to.deep.equal([3, 8, 8]);
    expect(hexOf(a)).to.equal(hexOf(b));
  });

  it('take the context that a DataLoader or a stream hands on', async () => {
    const augment = new t.Compose([new t.RandomCrop(8), flip]);
    const get = (i: number, context?: data.SampleContext) => augment.forward(bytes.add(i), context);
    const passOf = async (source: Iterable<Tensor> | data.Dataset<Tensor>) => {
      const seen: string[] = [];
      for await (const batch of new data.DataLoader(source as data.Dataset<Tensor>, { generator: seeded(5) }))
        seen.push(hexOf(batch));
      return seen;
    };
    expect(await passOf({ length: 3, get })).to.deep.equal(await passOf({ length: 3, get }));
    const stream = data.map(new Set([0, 1, 2]) as Iterable<number>, get);
    expect(await passOf(stream as never)).to.have.length(3);
    expect(data.map([7], get).get(0).shape).to.deep.equal([3, 8, 8]);
  });

  it('are layers of a model, with other layers among them', () => {
    const model = new nn.Sequential(new t.Normalize(0.5, 0.5), new nn.Conv2d(3, 2, 3), new nn.Flatten());
    expect(model.forward(floats.unsqueeze(0)).shape).to.deep.equal([1, 2 * 15 * 21]);
    expect(new t.Compose([new nn.Conv2d(3, 2, 3), (x: Tensor) => x.neg()]).forward(floats).shape).to.deep.equal([
      2, 15, 21,
    ]);
  });

  it('pass gradients to images of floats', () => {
    const x = floats.clone().requiresGrad_();
    new t.Compose([new t.Resize(8), new t.GaussianBlur(3), new t.Normalize(0.5, 0.5)]).forward(x).sum().backward();
    expect(x.grad!.abs().sum().item<number>()).to.be.above(0);
  });

  it('have torchaudio’s state dicts', () => {
    const mfcc = new t.MFCC(8000, { nMfcc: 5, melkwargs: { nFft: 128, nMels: 8 } });
    const keys = ['MelSpectrogram.mel_scale.fb', 'MelSpectrogram.spectrogram.window', 'dct_mat'];
    expect(Object.keys(mfcc.stateDict()).sort()).to.deep.equal(keys);
    expect(Object.keys(new t.Resample(3, 2).stateDict())).to.deep.equal(['kernel']);
    expect(Object.keys(new t.Normalize(0.5, 0.5).stateDict())).to.deep.equal([]);
  });

  it('give an image of one pixel, which LibTorch has no kernel of bytes for, and none of none', () => {
    expect(t.functional.resize(zeros([0, 3, 4, 4]), [2, 3]).shape).to.deep.equal([0, 3, 2, 3]);
    for (const antialias of [true, false])
      expect(t.functional.resize(bytes, [1, 1], { antialias }).shape).to.deep.equal([3, 1, 1]);
  });
});

describe('transforms refuse', () => {
  const f = t.functional;
  const refused: Record<string, readonly [attempt: () => unknown, message: RegExp]> = {
    'what is no image': [
      () => f.invert(tensor([1, 2])),
      /invert: image must be a tensor \[\.\.\., channels, height, width\]/,
    ],
    'other channels': [() => f.adjustHue(rand([2, 4, 4]), 0.1), /image must have 1 or 3 channels, got 2/],
    'a hue beyond the circle': [() => f.adjustHue(floats, 0.7), /factor must be a number from -0\.5 to 0\.5, got 0\.7/],
    'bytes to normalize': [
      () => f.normalize(bytes, 0.5, 0.5),
      /must be of floats, got uint8; convertImageDtype makes them/,
    ],
    'a deviation of 0': [() => f.normalize(floats, 0.5, [1, 0, 1]), /std must have no 0/],
    'means of other channels': [() => f.normalize(floats, [1, 2], 1), /mean must be one number or 3/],
    'floats to whole numbers that are too large': [() => f.toDtype(floats, 'int32', { scale: true }), /more than float32 can tell apart/], // prettier-ignore
    'a maxSize for two sizes': [() => f.resize(bytes, [4, 4], { maxSize: 5 }), /maxSize is for a size of one number/],
    'a maxSize below the shorter side': [
      () => new t.Resize(9, { maxSize: 9 }),
      /maxSize must be more than the shorter side, 9/,
    ],
    'a mirror beyond the image': [() => f.pad(bytes, 17, { paddingMode: 'reflect' }), /reaches 16 pixels into the 17/],
    'a mirror beyond what is left': [() => f.pad(bytes, [-20, 0, 5, 0], { paddingMode: 'symmetric' }), /reaches 3 pixels into the 3/], // prettier-ignore
    'a part larger than the image': [
      () => new t.RandomCrop(30).forward(bytes),
      /\[30, 30\] is larger .*\[17, 23\]; padIfNeeded/,
    ],
    'five crops larger than the image': [
      () => f.fiveCrop(bytes, 18),
      /a part of \[18, 18\] is larger than the image, \[17, 23\]/,
    ],
    'fills of other channels': [() => f.rotate(bytes, 5, { fill: [1, 2] }), /fill must be one number or 3/],
    'a rectangle outside': [
      () => f.erase(bytes, 15, 0, 3, 3, zeros([])),
      /\[3, 3\] at \[15, 0\] is not inside the 17 x 23 image/,
    ],
    'an even kernel': [() => f.gaussianBlur(bytes, 4), /kernelSize must be an odd number above 0/],
    'a kernel that reaches beyond the image': [
      () => f.gaussianBlur(bytes, [3, 35]),
      /mirrors more than the 17 x 23 pixels/,
    ],
    'a threshold beyond the values': [
      () => f.solarize(floats, 128),
      /threshold must be at most 1, the greatest value of float32/,
    ],
    'labels without their count': [() => new t.MixUp().forward(batch[0]!, batch[1]!), /need the option numClasses/],
    'labels that there are not': [
      () => new t.MixUp({ numClasses: 2 }).forward(batch[0]!, batch[1]!),
      /labels must be from 0 to 1/,
    ],
    'points that no projection joins': [
      () => f.perspective(bytes, Array(4).fill([0, 0]) as never, Array(4).fill([1, 1]) as never),
      /no projection takes \[0,0\]/,
    ],
    'an image without pixels': [
      () => f.resize(zeros([3, 0, 4]), [2, 2]),
      /image must have pixels, got the shape \[3, 0, 4\]/,
    ],
    'booleans to scale': [
      () => f.toDtype(zeros([1, 2, 2], { dtype: 'bool' }), 'uint8', { scale: true }),
      /booleans have no scale/,
    ],
    'complex numbers': [() => f.invert(zeros([1, 2, 2], { dtype: 'complex64' })), /of real numbers/],
    'labels of another batch': [
      () => new t.CutMix().forward(batch[0]!, zeros([3, 2])),
      /labels must be \[4\] or \[4, classes\]/,
    ],
    'bytes to add up': [() => new t.MixUp({ numClasses: 3 }).forward(batch[0]!.to('uint8'), batch[1]!), /must be of floats, got uint8/], // prettier-ignore
    'a strength that there is not': [
      () => new t.RandAugment({ magnitude: 31 }),
      /magnitude must be below numMagnitudeBins, 31/,
    ],
    'nothing to compose': [() => new t.Compose([]), /transforms must be an array of transforms, modules or functions, at least one/], // prettier-ignore
    'other probabilities than transforms': [
      () => new t.RandomChoice([flip], { p: [1, 2] }),
      /p must have 1 finite numbers/,
    ],
    'an unknown interpolation': [() => f.rotate(bytes, 5, { interpolation: 'bicubic' as never }), /'nearest' or 'bilinear', got 'bicubic'/], // prettier-ignore
    'a window longer than a frame': [
      () => new t.Spectrogram({ nFft: 8, winLength: 9 }),
      /winLength must be at most nFft, 8/,
    ],
    'spectra of other frequencies': [() => new t.MelScale().forward(spectrum), /input must be \[\.\.\., 201, frames\], got \[2, 33, 20\]/], // prettier-ignore
    'more coefficients than filters': [() => new t.MFCC(8000, { nMfcc: 9, melkwargs: { nMels: 8 } }), /nMfcc must be at most nMels, 8/], // prettier-ignore
    'an unknown option of mel spectrograms': [() => new t.MFCC(8000, { melkwargs: { n_fft: 8 } as never }), /MFCC, melkwargs: has no option 'n_fft'\. Did you mean 'nFft'/], // prettier-ignore
    'sounds of whole numbers': [() => f.resample(bytes, 3, 2), /waveform must be of floats/],
    'sounds of another dtype than the filters': [() => new t.Resample(3, 2).forward(sound.to('float64')), /of float32 as the filters, got float64/], // prettier-ignore
  };
  for (const [what, [attempt, message]] of Object.entries(refused))
    it(what, () => void expect(attempt).to.throw(message).with.property('code', 'INVALID_ARGUMENT'));
});
