import { boolean, count, either, func, notNegative, oneOf, optional, orNull, size, type Kind } from '../../kinds.js';
import { pad as padTensor } from '../../nn/functional.js';
import { signature } from '../../signature.js';
import { hannWindow, scope, stft, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { refusal } from '../image.js';
import { aboveZero, finite } from '../numbers.js';
import { Transform } from '../transform.js';

/** Whether a spectrogram is divided by the window's length ('window', or true) or by the square root of the frame's. */
export type SpectrumNorm = boolean | 'window' | 'frame_length';
/** What lies beyond the ends of a sound. */
export type WaveformPadding = 'reflect' | 'constant' | 'replicate' | 'circular';
/** A window of a length. */
export type WindowFunction = (length: number) => Tensor;

export interface FrameOptions {
  /** How many samples are between frames. Default: half the window. */
  hopLength?: number | null;
  /** The window's length in samples, at most `nFft`. Default: `nFft`. */
  winLength?: number | null;
  /** How many zeros the sound gets on both sides. Default: 0. */
  pad?: number;
  /** Whether, and by what, values are divided. Default: false. */
  normalized?: SpectrumNorm;
  /** Whether frames are about their time instead of from it on. Default: true. */
  center?: boolean;
  /** What lies beyond the ends of the sound, where `center` is set. Default: 'reflect'. */
  padMode?: WaveformPadding;
  /** Whether the frequencies are left out that mirror others. Default: true. */
  onesided?: boolean;
}

export interface SpectrogramOptions extends FrameOptions {
  /** How many samples a frame has. Default: 400. */
  nFft?: number;
  /** The exponent of amplitudes: 1 for them, 2 for power; null for complex values. Default: 2. */
  power?: number | null;
  /** What makes the window. Default: `hannWindow`. */
  windowFn?: WindowFunction;
}

export const frameOptions = {
  hopLength: orNull(count),
  winLength: orNull(count),
  pad: size,
  normalized: either<boolean, 'window' | 'frame_length'>(boolean, oneOf('window', 'frame_length')),
  center: boolean,
  padMode: oneOf('reflect', 'constant', 'replicate', 'circular'),
  onesided: boolean,
};
export const windowKind: Kind<WindowFunction> = func<WindowFunction>();
const powerKind = orNull(aboveZero);

export interface SpectrogramFunctionOptions extends FrameOptions {
  /** How many samples a frame has. */
  nFft: number;
  /** The exponent of amplitudes: 1 for them, 2 for power; null for complex values. Default: 2. */
  power?: number | null;
}

const functionTakes = signature<SpectrogramFunctionOptions>(
  { waveform: tensorKind, window: tensorKind },
  { ...frameOptions, nFft: count, power: powerKind },
  ['nFft'],
);

/**
 * How strong each frequency of a sound is over time, [..., frequencies, frames] of [..., time]: its frames, times a window, by the
 * Fourier transform. As `torchaudio.functional.spectrogram`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a window that is not of the window's length, or of one that exceeds a frame.
 * @example
 * import { hannWindow, rand } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.spectrogram(rand([2, 1000]), hannWindow(64), { nFft: 64 }).shape; // [2, 33, 32]
 */
export function spectrogram(waveform: Tensor, window: Tensor, options: SpectrogramFunctionOptions): Tensor {
  functionTakes.check('spectrogram', arguments);
  const { nFft, winLength: given = null, hopLength = null, pad = 0, power = 2, normalized = false } = options;
  const { center = true, padMode = 'reflect', onesided = true } = options;
  const winLength = given ?? nFft;
  checkLengths('spectrogram', nFft, winLength);
  if (window.ndim !== 1 || window.shape[0] !== winLength) {
    throw refusal('spectrogram', `window must be [${winLength}], got [${window.shape.join(', ')}]`);
  }
  checkWaveform('spectrogram', waveform);
  return scope(() => {
    const padded = pad > 0 ? padTensor(waveform, [pad, pad], 'constant') : waveform;
    const flat = padded.reshape([-1, padded.shape.at(-1)!]);
    const frames = stft(flat, nFft, {
      hopLength: hopLength ?? Math.floor(winLength / 2),
      winLength,
      window,
      center,
      padMode,
      normalized: normalized === 'frame_length',
      onesided,
      returnComplex: true,
    });
    const made = frames.reshape([...waveform.shape.slice(0, -1), ...frames.shape.slice(-2)]);
    if (normalized === true || normalized === 'window') made.div_(window.pow(2).sum().sqrt()); // prettier-ignore
    if (power === null) return made;
    return power === 1 ? made.abs() : made.abs().pow(power);
  });
}

export function checkWaveform(name: string, waveform: Tensor): void {
  if (waveform.ndim > 0 && waveform.isFloatingPoint()) return;
  throw refusal(name, `waveform must be of floats, [..., time], got ${waveform.dtype} [${waveform.shape.join(', ')}]`);
}

export function checkLengths(name: string, nFft: number, winLength: number): void {
  if (winLength > nFft) throw refusal(name, `winLength must be at most nFft, ${nFft}, got ${winLength}`);
}

const takes = signature<SpectrogramOptions>(
  {},
  { ...frameOptions, nFft: count, power: powerKind, windowFn: windowKind },
);

/**
 * How strong each frequency of a sound is over time, [..., frequencies, frames] of [..., time]. As
 * `torchaudio.transforms.Spectrogram`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a window that is longer than a frame.
 * @example
 * import { rand } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.Spectrogram({ nFft: 64 }).forward(rand([2, 1000])).shape; // [2, 33, 32]
 */
export class Spectrogram extends Transform {
  readonly nFft: number;
  readonly winLength: number;
  readonly hopLength: number;
  readonly pad: number;
  readonly power: number | null;
  readonly normalized: SpectrumNorm;
  readonly center: boolean;
  readonly padMode: WaveformPadding;
  readonly onesided: boolean;
  declare readonly window: Tensor;

  constructor(options: SpectrogramOptions = {}) {
    takes.check(new.target.name, arguments);
    const { nFft = 400, power = 2, windowFn = (length) => hannWindow(length) } = options;
    const winLength = options.winLength ?? nFft;
    checkLengths(new.target.name, nFft, winLength);
    super();
    this.nFft = nFft;
    this.winLength = winLength;
    this.hopLength = options.hopLength ?? Math.max(Math.floor(winLength / 2), 1);
    this.pad = options.pad ?? 0;
    this.power = power;
    this.normalized = options.normalized ?? false;
    this.center = options.center ?? true;
    this.padMode = options.padMode ?? 'reflect';
    this.onesided = options.onesided ?? true;
    this.registerBuffer('window', windowFn(winLength));
  }

  protected override transform(waveform: Tensor): Tensor {
    const { nFft, winLength, hopLength, pad, power, normalized, center, padMode, onesided } = this;
    return spectrogram(waveform, this.window, { nFft, winLength, hopLength, pad, power, normalized, center, padMode, onesided }); // prettier-ignore
  }
}

export interface AmplitudeToDBFunctionOptions {
  /** The least that values count as. Default: 1e-10. */
  amin?: number;
  /** What is subtracted, in units of `multiplier`: the decadic logarithm of what counts as 0 dB. Default: 0. */
  dbMultiplier?: number;
  /** How far below the loudest values may be; null leaves them. Default: null. */
  topDb?: number | null;
}

const topDbKind = orNull(notNegative);
const amplitudeTakes = signature<AmplitudeToDBFunctionOptions>(
  { x: tensorKind, multiplier: finite },
  { amin: aboveZero, dbMultiplier: finite, topDb: topDbKind },
);

/**
 * Values in decibels: `multiplier` is 10 of power, 20 of amplitudes. The loudest is that of each [channels, frequencies, frames]. As
 * `torchaudio.functional.amplitude_to_DB`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for `topDb` and fewer than two dimensions.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.amplitudeToDB(tensor([1, 0.1]), 10).tolist(); // [0, -10]
 */
export function amplitudeToDB(x: Tensor, multiplier: number, options: AmplitudeToDBFunctionOptions = {}): Tensor {
  amplitudeTakes.check('amplitudeToDB', arguments);
  const { amin = 1e-10, dbMultiplier = 0, topDb = null } = options;
  if (topDb !== null && x.ndim < 2) {
    throw refusal('amplitudeToDB', `topDb needs [..., frequencies, frames], got [${x.shape.join(', ')}]`);
  }
  return scope(() => {
    const decibels = x
      .clamp(amin)
      .log10()
      .mul(multiplier)
      .sub_(multiplier * dbMultiplier);
    if (topDb === null || x.numel() === 0) return decibels;
    const packed = decibels.reshape([-1, x.ndim > 2 ? x.shape.at(-3)! : 1, ...x.shape.slice(-2)]);
    const least = packed.amax([-3, -2, -1]).sub(topDb).view([-1, 1, 1, 1]);
    return packed.maximum(least).reshape(x.shape);
  });
}

export interface AmplitudeToDBOptions {
  /** How far below the loudest values may be; null leaves them. Default: null. */
  topDb?: number | null;
}

const toDbTakes = signature<AmplitudeToDBOptions>(
  { stype: optional(oneOf('power', 'magnitude')) },
  { topDb: topDbKind },
);

/**
 * Spectrograms in decibels. As `torchaudio.transforms.AmplitudeToDB`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.AmplitudeToDB('magnitude').forward(tensor([1, 0.1])).tolist(); // [0, -20]
 */
export class AmplitudeToDB extends Transform {
  readonly stype: 'power' | 'magnitude';
  readonly topDb: number | null;

  /** @param stype What values are. Default: 'power'. */
  constructor(stype: 'power' | 'magnitude' = 'power', options: AmplitudeToDBOptions = {}) {
    toDbTakes.check(new.target.name, arguments);
    super();
    this.stype = stype;
    this.topDb = options.topDb ?? null;
  }

  protected override transform(values: Tensor): Tensor {
    return amplitudeToDB(values, this.stype === 'power' ? 10 : 20, { topDb: this.topDb });
  }
}
