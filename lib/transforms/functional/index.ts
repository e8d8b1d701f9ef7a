export { affine, rotate, type AffineOptions, type Point, type RotateOptions } from './affine.js';
export { adjustBrightness, adjustContrast, adjustGamma, adjustSaturation, adjustSharpness, type AdjustGammaOptions } from './adjust.js'; // prettier-ignore
export { centerCrop, crop, fiveCrop, horizontalFlip, resizedCrop, tenCrop, verticalFlip, type FiveCrops, type ResizedCropOptions, type TenCropOptions } from './crop.js'; // prettier-ignore
export { convertImageDtype, toDtype, type ToDtypeOptions } from './dtype.js';
export { equalize } from './equalize.js';
export { erase, permuteChannels } from './erase.js';
export { gaussianBlur, gaussianNoise, type GaussianBlurOptions, type GaussianNoiseOptions, type PerDirection } from './gaussian.js'; // prettier-ignore
export { grayscaleToRgb, rgbToGrayscale, type GrayscaleOptions } from './grayscale.js';
export { adjustHue } from './hue.js';
export { autocontrast, invert, posterize, solarize } from './levels.js';
export { normalize } from './normalize.js';
export { pad, type PadOptions } from './pad.js';
export { elastic, perspective, type Corners, type WarpOptions } from './perspective.js';
export { resize, type ResizeOptions } from './resize.js';
export { maskAlongAxis, type MaskOptions } from '../audio/masking.js';
export { createDct, melscaleFbanks, type MelFilterOptions } from '../audio/melFilters.js';
export { muLawDecoding, muLawEncoding } from '../audio/muLaw.js';
export { resample, type ResampleFunctionOptions } from '../audio/resample.js';
export { amplitudeToDB, spectrogram, type AmplitudeToDBFunctionOptions, type SpectrogramFunctionOptions } from '../audio/spectrogram.js'; // prettier-ignore
