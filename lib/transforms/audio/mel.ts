import { boolean, count, kind, notNegative, optional, orNull, positive } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/index.js';
import { refusal } from '../image.js';
import { wholeAboveOne } from '../numbers.js';
import { Transform } from '../transform.js';
import { createDct, melNormKind, melscaleFbanks, melScaleKind, type MelNorm, type MelScaleName } from './melFilters.js';
import { AmplitudeToDB, frameOptions, Spectrogram, windowKind, type FrameOptions, type WindowFunction } from './spectrogram.js'; // prettier-ignore

export interface MelScaleOptions {
  /** How many filters there are. Default: 128. */
  nMels?: number;
  /** Samples per second. Default: 16,000. */
  sampleRate?: number;
  /** The lowest frequency in hertz. Default: 0. */
  fMin?: number;
  /** The highest frequency in hertz. Default: half the sample rate. */
  fMax?: number | null;
  /** 'slaney' has filters of an area of 1. Default: null. */
  norm?: MelNorm;
  /** The formula of the scale. Default: 'htk'. */
  melScale?: MelScaleName;
}

export interface MelScaleOfOptions extends MelScaleOptions {
  /** How many frequencies spectrograms have. Default: 201. */
  nStft?: number;
}

const filterOptions = {
  nMels: count,
  sampleRate: count,
  fMin: notNegative,
  fMax: orNull(positive),
  norm: melNormKind,
  melScale: melScaleKind,
};
const scaleTakes = signature<MelScaleOfOptions>({}, { ...filterOptions, nStft: wholeAboveOne });

/** Values of the next to last dimension, by a matrix. */
const combined = (values: Tensor, matrix: Tensor): Tensor => values.transpose(-1, -2).matmul(matrix).transpose(-1, -2);

/**
 * Spectrograms [..., frequencies, frames] by filters on the mel scale, [..., filters, frames]. As
 * `torchaudio.transforms.MelScale`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a highest frequency that is not above the lowest; from `forward` for spectrograms of
 * other frequencies.
 * @example
 * import { rand } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.MelScale({ nMels: 8, nStft: 33 }).forward(rand([2, 33, 10])).shape; // [2, 8, 10]
 */
export class MelScale extends Transform {
  readonly nMels: number;
  readonly sampleRate: number;
  readonly fMin: number;
  readonly fMax: number;
  readonly norm: MelNorm;
  readonly melScale: MelScaleName;
  declare readonly fb: Tensor;

  constructor(options: MelScaleOfOptions = {}) {
    scaleTakes.check(new.target.name, arguments);
    const { nMels = 128, sampleRate = 16_000, fMin = 0, nStft = 201, norm = null, melScale = 'htk' } = options;
    const fMax = options.fMax ?? Math.floor(sampleRate / 2);
    if (fMax <= fMin) throw refusal(new.target.name, `fMax must be above fMin, ${fMin}, got ${fMax}`);
    super();
    this.nMels = nMels;
    this.sampleRate = sampleRate;
    this.fMin = fMin;
    this.fMax = fMax;
    this.norm = norm;
    this.melScale = melScale;
    this.registerBuffer('fb', melscaleFbanks({ nFreqs: nStft, fMin, fMax, nMels, sampleRate, norm, melScale }));
  }

  protected override transform(spectrogram: Tensor): Tensor {
    const frequencies = this.fb.shape[0];
    if (spectrogram.ndim < 2 || spectrogram.shape.at(-2) !== frequencies) {
      throw refusal(this.constructor.name, `input must be [..., ${frequencies}, frames], got [${spectrogram.shape.join(', ')}]`); // prettier-ignore
    }
    return combined(spectrogram, this.fb);
  }
}

export interface MelSpectrogramOptions extends MelScaleOptions, Omit<FrameOptions, 'onesided'> {
  /** How many samples a frame has. Default: 400. */
  nFft?: number;
  /** The exponent of amplitudes: 1 for them, 2 for power. Default: 2. */
  power?: number;
  /** What makes the window. Default: `hannWindow`. */
  windowFn?: WindowFunction;
}

const { onesided: _onesided, ...melFrameOptions } = frameOptions;
const melSpectrogramOptions = {
  ...filterOptions,
  ...melFrameOptions,
  nFft: count,
  power: positive,
  windowFn: windowKind,
};
const melSpectrogramTakes = signature<MelSpectrogramOptions>({}, melSpectrogramOptions);

/**
 * Sounds [..., time] as spectrograms on the mel scale, [..., filters, frames]. As `torchaudio.transforms.MelSpectrogram`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a highest frequency that is not above the lowest, and a window longer than a frame.
 * @example
 * import { rand } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const mel = new transforms.MelSpectrogram({ sampleRate: 8000, nFft: 256, nMels: 20 });
 * mel.forward(rand([1, 8000])).shape; // [1, 20, 63]
 */
export class MelSpectrogram extends Transform {
  readonly spectrogram: Spectrogram;
  readonly melScale: MelScale;

  constructor(options: MelSpectrogramOptions = {}) {
    melSpectrogramTakes.check(new.target.name, arguments);
    const { nMels, sampleRate, fMin, fMax, norm, melScale, ...frames } = options;
    const nFft = options.nFft ?? 400;
    super();
    this.spectrogram = new Spectrogram(frames);
    this.melScale = new MelScale({ nMels, sampleRate, fMin, fMax, norm, melScale, nStft: Math.floor(nFft / 2) + 1 });
  }

  protected override transform(waveform: Tensor): Tensor {
    return this.melScale.forward(this.spectrogram.forward(waveform));
  }
}

export interface MFCCOptions {
  /** How many coefficients there are. Default: 40. */
  nMfcc?: number;
  /** 'ortho' makes the transform orthonormal. Default: 'ortho'. */
  norm?: 'ortho' | null;
  /** Whether values are logarithms instead of decibels with 80 below the loudest. Default: false. */
  logMels?: boolean;
  /** The options of `MelSpectrogram`, but the sample rate. Default: {}. */
  melkwargs?: Omit<MelSpectrogramOptions, 'sampleRate'>;
}

const melkwargsTakes = signature<Omit<MelSpectrogramOptions, 'sampleRate'>>(
  {},
  (({ sampleRate: _, ...rest }) => rest)(melSpectrogramOptions),
);
const mfccTakes = signature<MFCCOptions>(
  { sampleRate: optional(count) },
  {
    nMfcc: count,
    norm: orNull(kind<'ortho'>("'ortho'", (value) => value === 'ortho')),
    logMels: boolean,
    melkwargs: kind('an object of options', (value) => typeof value === 'object' && value !== null),
  },
);

/**
 * Sounds [..., time] as mel-frequency cepstral coefficients, [..., coefficients, frames]. As `torchaudio.transforms.MFCC`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for more coefficients than filters.
 * @example
 * import { rand } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const mfcc = new transforms.MFCC(8000, { nMfcc: 13, melkwargs: { nFft: 256, nMels: 23 } });
 * mfcc.forward(rand([1, 8000])).shape; // [1, 13, 63]
 */
export class MFCC extends Transform {
  readonly sampleRate: number;
  readonly nMfcc: number;
  readonly norm: 'ortho' | null;
  readonly logMels: boolean;
  declare readonly dctMat: Tensor;
  readonly MelSpectrogram: MelSpectrogram;
  readonly amplitudeToDB: AmplitudeToDB;

  /** @param sampleRate Samples per second. Default: 16,000. */
  constructor(sampleRate = 16_000, options: MFCCOptions = {}) {
    mfccTakes.check(new.target.name, arguments);
    const { nMfcc = 40, norm = 'ortho', logMels = false, melkwargs = {} } = options;
    melkwargsTakes.checkOptions(`${new.target.name}, melkwargs`, melkwargs);
    const nMels = melkwargs.nMels ?? 128;
    if (nMfcc > nMels) throw refusal(new.target.name, `nMfcc must be at most nMels, ${nMels}, got ${nMfcc}`);
    super();
    this.sampleRate = sampleRate;
    this.nMfcc = nMfcc;
    this.norm = norm;
    this.logMels = logMels;
    this.registerBuffer('dctMat', createDct(nMfcc, nMels, { norm }));
    this.MelSpectrogram = new MelSpectrogram({ ...melkwargs, sampleRate });
    this.amplitudeToDB = new AmplitudeToDB('power', { topDb: 80 });
  }

  protected override transform(waveform: Tensor): Tensor {
    const mels = this.MelSpectrogram.forward(waveform);
    return combined(this.logMels ? mels.add(1e-6).log() : this.amplitudeToDB.forward(mels), this.dctMat);
  }
}
