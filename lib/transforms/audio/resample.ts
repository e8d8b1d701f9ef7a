import { count, fraction, kind, oneOf, optional, orNull, positive } from '../../kinds.js';
import { conv1d, pad } from '../../nn/functional.js';
import { signature } from '../../signature.js';
import { arange, scope, tensor, where, type DType, type Tensor } from '../../tensor/index.js';
import { dtypeKind, tensorKind } from '../../tensor/kinds.js';
import { refusal } from '../image.js';
import { Transform } from '../transform.js';
import { checkWaveform } from './spectrogram.js';

export interface ResampleFunctionOptions {
  /** How many zero crossings the filter has on each side: more is sharper and slower. Default: 6. */
  lowpassFilterWidth?: number;
  /** Where the filter begins to let nothing pass, as a part of half the lower rate. Default: 0.99. */
  rolloff?: number;
  /** The window of the filter. Default: 'sinc_interp_hann'. */
  resamplingMethod?: 'sinc_interp_hann' | 'sinc_interp_kaiser';
  /** The shape of the Kaiser window. Default: 14.769656459379492. */
  beta?: number | null;
}

const partKind = kind<number>('a number above 0, up to 1', (value) => fraction.accepts(value) && Number(value) > 0);
const options = {
  lowpassFilterWidth: count,
  rolloff: partKind,
  resamplingMethod: oneOf('sinc_interp_hann', 'sinc_interp_kaiser'),
  beta: orNull(positive),
};
const takes = signature<ResampleFunctionOptions>({ waveform: tensorKind, origFreq: count, newFreq: count }, options);

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** The filters, [new, 1, taps], and how far they reach to each side. */
interface Filters {
  readonly kernel: Tensor;
  readonly width: number;
}

/** `dtype` null computes in float64 and gives float32, as torchaudio's module does. */
function filtersOf(orig: number, next: number, dtype: DType | null, given: ResampleFunctionOptions): Filters {
  const { lowpassFilterWidth = 6, rolloff = 0.99, resamplingMethod = 'sinc_interp_hann' } = given;
  const cutoff = Math.min(orig, next) * rolloff;
  const width = Math.ceil((lowpassFilterWidth * orig) / cutoff);
  const kernel = scope(() => {
    const index = arange(-width, width + orig, { dtype: dtype ?? 'float64' }).view([1, 1, -1]).div(orig); // prettier-ignore
    // Without a dtype these are whole numbers before the division, hence float32 after it.
    const starts = arange(0, -next, -1, { dtype: dtype ?? 'int64' }).view([-1, 1, 1]).div(next); // prettier-ignore
    const time = starts.add(index).mul_(cutoff).clamp_(-lowpassFilterWidth, lowpassFilterWidth);
    const window = resamplingMethod === 'sinc_interp_hann' ? hann(time, lowpassFilterWidth) : kaiser(time, lowpassFilterWidth, given.beta); // prettier-ignore
    const angle = time.mul_(Math.PI);
    const one = tensor(1, { dtype: angle.dtype });
    const filters = where(angle.eq(0), one, angle.sin().div(angle)).mul_(window.mul(cutoff / orig));
    return dtype === null ? filters.to('float32') : filters;
  });
  return { kernel, width };
}

const hann = (time: Tensor, width: number): Tensor => time.mul(Math.PI).div(width).div(2).cos().pow(2); // prettier-ignore

function kaiser(time: Tensor, width: number, beta: number | null = null): Tensor {
  const shape = tensor(beta ?? 14.769656459379492, { dtype: 'float32' });
  const within = time.div(width).pow(2).neg().add(1).sqrt(); // prettier-ignore
  return shape.mul(within).i0().div(shape.i0());
}

function filtered(waveform: Tensor, orig: number, next: number, { kernel, width }: Filters): Tensor {
  return scope(() => {
    const length = waveform.shape.at(-1)!;
    const flat = waveform.reshape([-1, length]);
    const made = conv1d(pad(flat, [width, width + orig]).unsqueeze(1), kernel, { stride: orig });
    const all = made.transpose(1, 2).reshape([flat.shape[0]!, -1]);
    const kept = Math.ceil((next * length) / orig);
    return all.narrow(1, 0, kept).reshape([...waveform.shape.slice(0, -1), kept]);
  });
}

/**
 * A sound [..., time] at another rate: `origFreq` samples become `newFreq`, by a windowed sinc filter. As
 * `torchaudio.functional.resample`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sounds of whole numbers.
 * @example
 * import { rand } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.resample(rand([1, 16000]), 16000, 8000).shape; // [1, 8000]
 */
export function resample(
  waveform: Tensor,
  origFreq: number,
  newFreq: number,
  options: ResampleFunctionOptions = {},
): Tensor {
  takes.check('resample', arguments);
  checkWaveform('resample', waveform);
  if (origFreq === newFreq || waveform.numel() === 0) return waveform;
  const common = divisor(origFreq, newFreq);
  const [orig, next] = [origFreq / common, newFreq / common];
  return scope(() => {
    const { kernel, width } = filtersOf(orig, next, waveform.dtype, options);
    return filtered(waveform, orig, next, { kernel: kernel.to(waveform.device), width });
  });
}

export interface ResampleOptions extends ResampleFunctionOptions {
  /** The dtype of filters and sounds; null computes filters in float64 for sounds of float32. Default: null. */
  dtype?: DType | null;
}

const moduleTakes = signature<ResampleOptions>(
  { origFreq: optional(count), newFreq: optional(count) },
  { ...options, dtype: orNull(dtypeKind) },
);

/**
 * Sounds [..., time] at another rate: `origFreq` samples become `newFreq`. As `torchaudio.transforms.Resample`; the module computes
 * its filters once, more exactly than the function.
 *
 * @throws AiforgeError INVALID_ARGUMENT from `forward` for sounds of another dtype than the filters.
 * @example
 * import { rand } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.Resample(16000, 22050).forward(rand([2, 1600])).shape; // [2, 2205]
 */
export class Resample extends Transform {
  readonly origFreq: number;
  readonly newFreq: number;
  declare readonly kernel: Tensor | null;
  private readonly common: number;
  private readonly width: number;

  /**
   * @param origFreq Samples of the sound in some time. Default: 16,000.
   * @param newFreq Samples of the result in the same time. Default: 16,000.
   */
  constructor(origFreq = 16_000, newFreq = 16_000, options: ResampleOptions = {}) {
    moduleTakes.check(new.target.name, arguments);
    const { dtype = null, ...rest } = options;
    super();
    this.origFreq = origFreq;
    this.newFreq = newFreq;
    this.common = divisor(origFreq, newFreq);
    const isSame = origFreq === newFreq;
    const filters = isSame ? null : filtersOf(origFreq / this.common, newFreq / this.common, dtype, rest);
    this.width = filters?.width ?? 0;
    this.registerBuffer('kernel', filters?.kernel ?? null);
  }

  protected override transform(waveform: Tensor): Tensor {
    const { kernel, width, common } = this;
    checkWaveform(this.constructor.name, waveform);
    if (kernel === null || waveform.numel() === 0) return waveform;
    if (kernel.dtype !== waveform.dtype) {
      throw refusal(this.constructor.name, `input must be of ${kernel.dtype} as the filters, got ${waveform.dtype}; give the option dtype`); // prettier-ignore
    }
    return filtered(waveform, this.origFreq / common, this.newFreq / common, { kernel, width });
  }
}
