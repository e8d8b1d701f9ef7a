export { AugMix, type AugMixOptions } from './autoAugment/augMix.js';
export { AutoAugment, type AutoAugmentOptions, type AutoAugmentPolicy } from './autoAugment/autoAugment.js';
export type { AugmentOptions } from './autoAugment/operations.js';
export { RandAugment, TrivialAugmentWide, type RandAugmentOptions, type TrivialAugmentWideOptions } from './autoAugment/randAugment.js'; // prettier-ignore
export { GaussianBlur, GaussianNoise, type NoiseOptions, type RandomGaussianBlurOptions } from './blurring.js';
export { ColorJitter, RandomPhotometricDistort, type ColorJitterOptions, type RandomPhotometricDistortOptions } from './colorJitter.js'; // prettier-ignore
export {
  Grayscale,
  RandomAdjustSharpness,
  RandomAutocontrast,
  RandomChannelPermutation,
  RandomEqualize,
  RandomGrayscale,
  RandomInvert,
  RandomPosterize,
  RandomSolarize,
  RGB,
  type ProbabilityOptions,
} from './coloring.js';
export { Compose, Lambda, RandomApply, RandomChoice, RandomOrder, type RandomApplyOptions, type RandomChoiceOptions, type Step } from './containers.js'; // prettier-ignore
export { CenterCrop, FiveCrop, RandomCrop, RandomResizedCrop, TenCrop, type RandomCropOptions, type RandomResizedCropOptions } from './cropping.js'; // prettier-ignore
export type { TransformContext } from './draws.js';
export { RandomHorizontalFlip, RandomVerticalFlip } from './flipping.js';
export * as functional from './functional/index.js';
export type { CropSize, Fill, Interpolation, Padding, PaddingMode, WarpInterpolation } from './image.js';
export { CutMix, MixUp, type Mixed, type MixOptions } from './mixing.js';
export { Pad, RandomZoomOut, type RandomZoomOutOptions } from './padding.js';
export { RandomErasing, type ErasedValue, type RandomErasingOptions } from './randomErasing.js';
export { RandomResize, RandomShortestSize, Resize, ScaleJitter, type RandomShortestSizeOptions, type RandomSizeOptions, type ScaleJitterOptions } from './resizing.js'; // prettier-ignore
export { Transform } from './transform.js';
export { FrequencyMasking, TimeMasking, type MaskingOptions, type TimeMaskingOptions } from './audio/masking.js';
export { MelScale, MelSpectrogram, MFCC, type MelScaleOfOptions, type MelScaleOptions, type MelSpectrogramOptions, type MFCCOptions } from './audio/mel.js'; // prettier-ignore
export { MuLawDecoding, MuLawEncoding } from './audio/muLaw.js';
export { Resample, type ResampleOptions } from './audio/resample.js';
export { AmplitudeToDB, Spectrogram, type AmplitudeToDBOptions, type FrameOptions, type SpectrogramOptions, type SpectrumNorm, type WaveformPadding, type WindowFunction } from './audio/spectrogram.js'; // prettier-ignore
export type { MelNorm, MelScaleName } from './audio/melFilters.js';
export { ConvertImageDtype, Identity, LinearTransformation, Normalize, ToDtype } from './values.js';
export { ElasticTransform, RandomAffine, RandomPerspective, RandomRotation, type ElasticTransformOptions, type RandomAffineOptions, type RandomPerspectiveOptions, type RandomRotationOptions } from './warping.js'; // prettier-ignore
