import { count, notNegative, oneOf, orNull, positive } from '../../kinds.js';
import { signature } from '../../signature.js';
import { linspace, pow, scope, where, zeros, type Tensor } from '../../tensor/index.js';
import { warnOnce } from '../../warnOnce.js';
import { wholeAboveOne } from '../numbers.js';
import { refusal } from '../image.js';

/** Whether filters have an area of 1. */
export type MelNorm = 'slaney' | null;
/** Which formula of the mel scale. */
export type MelScaleName = 'htk' | 'slaney';

export interface MelFilterOptions {
  /** How many frequencies there are, from 0 to half the sample rate. */
  nFreqs: number;
  /** The lowest frequency in hertz. */
  fMin: number;
  /** The highest frequency in hertz. */
  fMax: number;
  /** How many filters there are. */
  nMels: number;
  /** Samples per second. */
  sampleRate: number;
  /** 'slaney' has filters of an area of 1. Default: null. */
  norm?: MelNorm;
  /** The formula of the scale. Default: 'htk'. */
  melScale?: MelScaleName;
}

export const melNormKind = orNull(oneOf('slaney'));
export const melScaleKind = oneOf('htk', 'slaney');
const takes = signature<MelFilterOptions>(
  {},
  {
    nFreqs: wholeAboveOne,
    fMin: notNegative,
    fMax: positive,
    nMels: count,
    sampleRate: count,
    norm: melNormKind,
    melScale: melScaleKind,
  },
  ['nFreqs', 'fMin', 'fMax', 'nMels', 'sampleRate'],
);

/**
 * The weights of triangular filters that are as far apart on the mel scale, [frequencies, filters]. As
 * `torchaudio.functional.melscale_fbanks`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a highest frequency that is not above the lowest.
 * @example
 * import * as transforms from 'aiforge/transforms';
 * const filters = { nFreqs: 201, fMin: 0, fMax: 8000, nMels: 20, sampleRate: 16000 };
 * transforms.functional.melscaleFbanks(filters).shape; // [201, 20]
 */
export function melscaleFbanks(options: MelFilterOptions): Tensor {
  takes.check('melscaleFbanks', arguments);
  const { nFreqs, fMin, fMax, nMels, sampleRate, norm = null, melScale = 'htk' } = options;
  if (fMax <= fMin) throw refusal('melscaleFbanks', `fMax must be above fMin, ${fMin}, got ${fMax}`);
  return scope(() => {
    const { toMel, toHertz } = scales[melScale];
    const all = linspace(0, Math.floor(sampleRate / 2), nFreqs, { dtype: 'float32' });
    const points = toHertz(linspace(toMel(fMin), toMel(fMax), nMels + 2, { dtype: 'float32' }));
    const gaps = points.narrow(0, 1, nMels + 1).sub(points.narrow(0, 0, nMels + 1));
    const slopes = points.unsqueeze(0).sub(all.unsqueeze(1));
    const rising = slopes
      .narrow(1, 0, nMels)
      .neg()
      .div(gaps.narrow(0, 0, nMels));
    const falling = slopes.narrow(1, 2, nMels).div(gaps.narrow(0, 1, nMels));
    const filters = zeros([1]).maximum(rising.minimum(falling));
    if (norm === 'slaney') {
      const widths = points.narrow(0, 2, nMels).sub(points.narrow(0, 0, nMels));
      filters.mul_(widths.reciprocal().mul(2).unsqueeze(0)); // prettier-ignore
    }
    const empty = Number(filters.amax(0).eq(0).sum().item());
    if (empty > 0) {
      warnOnce(`melscaleFbanks: ${empty} of ${nMels} filters are narrower than the ${nFreqs} frequencies are apart, and always 0. Take fewer filters or longer frames.`); // prettier-ignore
    }
    return filters;
  });
}

interface Scale {
  readonly toMel: (hertz: number) => number;
  readonly toHertz: (mels: Tensor) => Tensor;
}

// Slaney's is linear up to 1000 Hz.
const STEP = 200 / 3;
const BREAK = 1000 / STEP;
const LOG_STEP = Math.log(6.4) / 27;

const scales: Record<MelScaleName, Scale> = {
  htk: {
    toMel: (hertz) => 2595 * Math.log10(1 + hertz / 700),
    toHertz: (mels) => pow(10, mels.div(2595)).sub(1).mul(700), // prettier-ignore
  },
  slaney: {
    toMel: (hertz) => (hertz >= 1000 ? BREAK + Math.log(hertz / 1000) / LOG_STEP : hertz / STEP),
    toHertz: (mels) => where(mels.ge(BREAK), mels.sub(BREAK).mul(LOG_STEP).exp().mul(1000), mels.mul(STEP)), // prettier-ignore
  },
};

const dctTakes = signature<{ norm?: 'ortho' | null }>({ nMfcc: count, nMels: count }, { norm: orNull(oneOf('ortho')) });

/**
 * The matrix of a discrete cosine transform of the second type, [nMels, nMfcc]; 'ortho' makes it orthonormal. As
 * `torchaudio.functional.create_dct`.
 *
 * @example
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.createDct(13, 40, { norm: 'ortho' }).shape; // [40, 13]
 */
export function createDct(nMfcc: number, nMels: number, options: { norm?: 'ortho' | null } = {}): Tensor {
  dctTakes.check('createDct', arguments);
  return scope(() => {
    const at = (length: number): Tensor => linspace(0, length - 1, length, { dtype: 'float32' });
    const matrix = at(nMels).add(0.5).mul(Math.PI / nMels).mul(at(nMfcc).unsqueeze(1)).cos(); // prettier-ignore
    if (options.norm === 'ortho') {
      matrix.select(0, 0).mul_(1 / Math.sqrt(2));
      matrix.mul_(Math.sqrt(2 / nMels));
    } else {
      matrix.mul_(2);
    }
    return matrix.t();
  });
}
