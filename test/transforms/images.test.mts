import { tensor, type Tensor } from 'aiforge';
import * as transforms from 'aiforge/transforms';
import { image, images, likePython, perChannel } from './likePython.mjs';

const f = transforms.functional;
type Apply = (x: Tensor) => unknown;

const functions: Record<string, Apply> = {
  'resize shorter side': (x) => f.resize(x, 11),
  'resize maxSize': (x) => f.resize(x, [14], { maxSize: 16 }),
  'resize longer side': (x) => f.resize(x, null, { maxSize: 12 }),
  'resize same': (x) => f.resize(x, x.shape.slice(-2) as [number, number]),
  'to int64 unscaled': (x) => f.toDtype(x, 'int64'),
  normalize: (x) => f.normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  crop: (x) => f.crop(x, 2, 3, 5, 7),
  'crop beyond': (x) => f.crop(x, -2, 5, 9, 30),
  'crop beyond all': (x) => f.crop(x, -3, -4, 40, 50),
  'center crop': (x) => f.centerCrop(x, [8, 11]),
  'center crop larger': (x) => f.centerCrop(x, [21, 10]),
  'resized crop': (x) => f.resizedCrop(x, 2, 3, 9, 10, [6, 13]),
  flips: (x) => [f.horizontalFlip(x), f.verticalFlip(x)],
  'five crop': (x) => f.fiveCrop(x, [6, 9]),
  'ten crop': (x) => f.tenCrop(x, 8),
  'ten crop vertical': (x) => f.tenCrop(x, [6, 5], { verticalFlip: true }),
  'pad fill': (x) => f.pad(x, 2, { fill: 7 }),
  'pad fills': (x) => f.pad(x, [1, 2, 0, 3], { fill: [1, 2, 3] }),
  grayscale: (x) => f.rgbToGrayscale(x),
  'grayscale 3': (x) => f.rgbToGrayscale(x, { numOutputChannels: 3 }),
  blur: (x) => f.gaussianBlur(x, [3, 5]),
  'blur sigma': (x) => f.gaussianBlur(x, [7, 3], { sigma: [0.7, 1.9] }),
  invert: (x) => f.invert(x),
  solarize: (x) => f.solarize(x, x.dtype === 'uint8' ? 128 : 0.5),
  autocontrast: (x) => f.autocontrast(x),
  'autocontrast flat': (x) => f.autocontrast(x.mul(0).add(1)),
  equalize: (x) => f.equalize(x),
  'equalize large': (x) => f.equalize(x.repeatInterleave(7, -1).repeatInterleave(9, -2)),
  'equalize flat': (x) => f.equalize(x.mul(0).add(3)),
  erase: (x) => f.erase(x, 1, 2, 5, 6, perChannel(1, 2, 3)),
  linear: (x) => new transforms.LinearTransformation(image('float32', 60, 60), image('float32', 60)).forward(x),
  permute: (x) => f.permuteChannels(x, [2, 0, 1]),
};
for (const [name, size] of Object.entries({ down: [7, 10], up: [29, 31], mixed: [9, 40] } as const)) {
  for (const interpolation of ['nearest', 'nearest-exact', 'bilinear', 'bicubic'] as const)
    functions[`resize ${name} ${interpolation}`] = (x) => f.resize(x, size, { interpolation });
  functions[`resize ${name} without antialias`] = (x) => f.resize(x, size, { antialias: false });
  functions[`resize ${name} bicubic without antialias`] = (x) =>
    f.resize(x, size, { interpolation: 'bicubic', antialias: false });
}
for (const dtype of ['float32', 'float64', 'uint8', 'int16', 'int32'] as const)
  functions[`to ${dtype}`] = (x) => f.toDtype(x, dtype, { scale: true });
for (const paddingMode of ['constant', 'edge', 'reflect', 'symmetric'] as const) {
  functions[`pad ${paddingMode}`] = (x) => f.pad(x, [1, 2, 3, 4], { paddingMode });
  functions[`pad ${paddingMode} both`] = (x) => f.pad(x, [3, 2], { paddingMode });
  functions[`pad ${paddingMode} all`] = (x) => f.pad(x, 4, { paddingMode });
  functions[`pad ${paddingMode} negative`] = (x) => f.pad(x, [-1, 2, 3, -2], { paddingMode });
}
const starts = [[0, 0], [22, 0], [22, 16], [0, 16]] as const; // prettier-ignore
const ends = [[2, 1], [20, 3], [19, 14], [0, 15]] as const; // prettier-ignore
const displacement = (x: Tensor): Tensor => image('float32', 1, ...x.shape.slice(-2), 2).div(5);
for (const interpolation of ['nearest', 'bilinear'] as const) {
  const by = { interpolation };
  Object.assign(functions, {
    [`rotate ${interpolation}`]: (x) => f.rotate(x, 33.3, by),
    [`rotate expand ${interpolation}`]: (x) => f.rotate(x, -72, { ...by, expand: true, fill: 3 }),
    [`rotate center ${interpolation}`]: (x) => f.rotate(x, 10, { ...by, center: [2, 3], fill: [1, 0.5, 0.25] }),
    [`affine ${interpolation}`]: (x) => f.affine(x, 20, [2, -3], 1.3, [7, -4], by),
    [`affine fill ${interpolation}`]: (x) => f.affine(x, -8, [0, 1], 0.7, 3, { ...by, fill: 0.5, center: [0, 5] }),
    [`perspective ${interpolation}`]: (x) => f.perspective(x, starts, ends, by),
    [`perspective fill ${interpolation}`]: (x) => f.perspective(x, starts, ends, { ...by, fill: 2 }),
    [`elastic ${interpolation}`]: (x) => f.elastic(x, displacement(x), by),
    [`elastic fill ${interpolation}`]: (x) => f.elastic(x, displacement(x), { ...by, fill: 1 }),
  } satisfies Record<string, Apply>);
}
for (const angle of [0, 90, 180, 270, 360, 450, -90]) {
  functions[`rotate ${angle}`] = (x) => f.rotate(x, angle);
  functions[`rotate ${angle} expand`] = (x) => f.rotate(x, angle, { expand: true });
}
for (const [written, factor] of Object.entries({ '0.0': 0, '0.4': 0.4, '1.0': 1, '1.7': 1.7 })) {
  functions[`brightness ${written}`] = (x) => f.adjustBrightness(x, factor);
  functions[`contrast ${written}`] = (x) => f.adjustContrast(x, factor);
  functions[`saturation ${written}`] = (x) => f.adjustSaturation(x, factor);
  functions[`sharpness ${written}`] = (x) => f.adjustSharpness(x, factor);
  functions[`gamma ${written}`] = (x) => f.adjustGamma(x, factor, { gain: 1.1 });
}
for (const [written, factor] of Object.entries({ '-0.5': -0.5, '-0.1': -0.1, '0.0': 0, '0.25': 0.25, '0.5': 0.5 }))
  functions[`hue ${written}`] = (x) => f.adjustHue(x, factor);
for (const bits of [0, 1, 3, 7]) functions[`posterize ${bits}`] = (x) => f.posterize(x, bits);

const {
  RandomInvert, RandomRotation, ColorJitter, GaussianBlur, RandomErasing, RandomCrop, RandomResizedCrop, AutoAugment,
} = transforms; // prettier-ignore
const none = { scale: [3, 4] as const };
const seededTransforms: Record<string, transforms.Transform<unknown>> = {
  RandomCrop: new RandomCrop([8, 9]),
  'RandomCrop whole height': new RandomCrop([16, 5]),
  'RandomCrop border': new RandomCrop(16, { padding: [1, 2], paddingMode: 'reflect' }),
  'RandomCrop needed': new RandomCrop([30, 12], { padIfNeeded: true, fill: 5 }),
  RandomResizedCrop: new RandomResizedCrop([7, 8]),
  'RandomResizedCrop none fits': new RandomResizedCrop(9, { ...none, ratio: [2, 3], interpolation: 'bicubic' }),
  'RandomResizedCrop none fits either': new RandomResizedCrop(9, { ...none, ratio: [0.2, 0.3] }),
  RandomHorizontalFlip: new transforms.RandomHorizontalFlip(),
  RandomVerticalFlip: new transforms.RandomVerticalFlip(0.3),
  RandomResize: new transforms.RandomResize(8, 20, { antialias: false }),
  RandomShortestSize: new transforms.RandomShortestSize([8, 9, 20], { maxSize: 21 }),
  ScaleJitter: new transforms.ScaleJitter([18, 20], { scaleRange: [0.5, 2] }),
  RandomZoomOut: new transforms.RandomZoomOut({ fill: 2, sideRange: [1, 2] }),
  RandomRotation: new RandomRotation(40),
  'RandomRotation expand': new RandomRotation([10, 80], { interpolation: 'bilinear', expand: true, fill: 1 }),
  RandomAffine: new transforms.RandomAffine(30, { translate: [0.1, 0.3], scale: [0.7, 1.4], shear: [-5, 6, -7, 8] }),
  'RandomAffine shear': new transforms.RandomAffine([0, 9], { shear: 12, interpolation: 'bilinear', fill: 3 }),
  RandomPerspective: new transforms.RandomPerspective({ distortionScale: 0.4, fill: 2 }),
  ElasticTransform: new transforms.ElasticTransform({ alpha: [30, 40], sigma: [1, 1.5] }),
  ColorJitter: new ColorJitter({ brightness: 0.4, contrast: 0.5, saturation: 0.6, hue: 0.3 }),
  'ColorJitter some': new ColorJitter({ contrast: [0.5, 0.9], hue: [0.1, 0.2] }),
  RandomPhotometricDistort: new transforms.RandomPhotometricDistort(),
  RandomGrayscale: new transforms.RandomGrayscale(0.5),
  RandomInvert: new RandomInvert(),
  RandomPosterize: new transforms.RandomPosterize(3),
  RandomSolarize: new transforms.RandomSolarize(0.4),
  RandomAdjustSharpness: new transforms.RandomAdjustSharpness(1.8),
  RandomAutocontrast: new transforms.RandomAutocontrast(),
  RandomEqualize: new transforms.RandomEqualize(),
  RandomChannelPermutation: new transforms.RandomChannelPermutation(),
  GaussianBlur: new GaussianBlur([3, 5]),
  GaussianNoise: new transforms.GaussianNoise({ mean: 0.05, sigma: 0.2 }),
  RandomErasing: new RandomErasing(),
  'RandomErasing values': new RandomErasing({ p: 1, value: [1, 2, 3] }),
  'RandomErasing noise': new RandomErasing({ p: 1, value: 'random' }),
  RandomApply: new transforms.RandomApply([new RandomRotation(20), new RandomInvert()], { p: 0.6 }),
  RandomChoice: new transforms.RandomChoice([new RandomRotation(20), new RandomInvert(1)], { p: [0.3, 0.9] }),
  RandomOrder: new transforms.RandomOrder([new RandomRotation(20), new ColorJitter({ brightness: 0.5 }), new GaussianBlur(3)]), // prettier-ignore
  Compose: new transforms.Compose([
    new RandomResizedCrop(12),
    new transforms.RandomHorizontalFlip(),
    new transforms.ToDtype('float32', { scale: true }),
  ]),
  AutoAugment: new AutoAugment(),
  RandAugment: new transforms.RandAugment({ numOps: 3, magnitude: 12 }),
  TrivialAugmentWide: new transforms.TrivialAugmentWide(),
  AugMix: new transforms.AugMix(),
  'AugMix some': new transforms.AugMix({ severity: 5, mixtureWidth: 2, chainDepth: 2, alpha: 0.5, allOps: false }),
};
for (const policy of ['imagenet', 'cifar10', 'svhn'] as const)
  seededTransforms[`AutoAugment ${policy}`] = new AutoAugment({ policy, interpolation: 'bilinear', fill: 9 });
const seeded: Record<string, (...given: Tensor[]) => unknown> = {
  MixUp: (x, labels) => new transforms.MixUp({ alpha: 0.3, numClasses: 3 }).forward(x, labels),
  CutMix: (x, labels) => new transforms.CutMix({ numClasses: 3 }).forward(x, labels),
};
for (const [name, transform] of Object.entries(seededTransforms)) seeded[name] = (x) => transform.forward(x);

describe('transforms of images, as torchvision makes them', () => {
  likePython(
    'transforms_images.py',
    {
      ...images,
      small: image('float32', 3, 4, 5),
      'small batch': image('float32', 2, 3, 4, 5),
      labels: [image('float32', 4, 3, 9, 10), tensor([0, 2, 1, 2])],
      shares: [image('float64', 3, 1, 7, 6), image('float32', 3, 3)],
    },
    functions,
    seeded,
  );
});
