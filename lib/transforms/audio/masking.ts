import { boolean, fraction, number, oneOf, size } from '../../kinds.js';
import { signature } from '../../signature.js';
import { arange, scope, type Tensor } from '../../tensor/index.js';
import { generatorKind, tensorKind } from '../../tensor/kinds.js';
import { fractions, type TransformContext } from '../draws.js';
import { refusal } from '../image.js';
import { Transform } from '../transform.js';

export interface MaskOptions extends TransformContext {
  /** How much of the axis is masked at most, 0 … 1. Default: 1. */
  p?: number;
  /** Whether all dimensions before the last two have masks of their own. Default: false. */
  iidMasks?: boolean;
}

const takes = signature<MaskOptions>(
  { specgram: tensorKind, maskParam: size, maskValue: number, axis: oneOf('frequency', 'time') },
  { p: fraction, iidMasks: boolean, generator: generatorKind },
);

/**
 * A spectrogram [..., frequencies, frames] of which fewer than `maskParam` neighbouring frequencies or frames are `maskValue`. As
 * `torchaudio.functional.mask_along_axis`, and, with `iidMasks`, `mask_along_axis_iid`; "SpecAugment: A Simple Data Augmentation
 * Method for Automatic Speech Recognition" (Park et al., 2019).
 *
 * @throws AiforgeError INVALID_ARGUMENT for fewer than two dimensions.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.maskAlongAxis(ones([1, 8, 10]), 4, 0, 'time').shape; // [1, 8, 10]
 */
export function maskAlongAxis(
  specgram: Tensor,
  maskParam: number,
  maskValue: number,
  axis: 'frequency' | 'time',
  options: MaskOptions = {},
): Tensor {
  takes.check('maskAlongAxis', arguments);
  const { p = 1, iidMasks = false, generator } = options;
  if (specgram.ndim < 2) {
    throw refusal('maskAlongAxis', `specgram must be [..., frequencies, frames], got [${specgram.shape.join(', ')}]`);
  }
  const dim = axis === 'frequency' ? -2 : -1;
  const length = specgram.shape.at(dim)!;
  const most = Math.min(maskParam, p < 1 ? Math.trunc(length * p) : maskParam);
  if (most < 1) return specgram;
  return scope(() => {
    const leading = iidMasks ? specgram.shape.slice(0, -2) : [];
    const dtype = iidMasks ? specgram.dtype : 'float32';
    const drawn = (): Tensor => fractions(leading, { generator }, dtype);
    const extent = drawn().mul(most);
    const start = drawn().mul(extent.neg().add(length)); // prettier-ignore
    const first = start.to('int64').unsqueeze(-1).unsqueeze(-1).to(specgram.device);
    const end = first.add(extent.to('int64').unsqueeze(-1).unsqueeze(-1).to(specgram.device));
    const at = arange(0, length, { device: specgram.device });
    const mask = at.ge(first).bitwiseAnd(at.lt(end));
    return specgram.maskedFill(axis === 'time' ? mask : mask.transpose(-1, -2), maskValue);
  });
}

export interface MaskingOptions {
  /** Whether all dimensions before the last two have masks of their own. Default: false. */
  iidMasks?: boolean;
}

const frequencyTakes = signature<MaskingOptions>({ freqMaskParam: size }, { iidMasks: boolean });

/**
 * Spectrograms [..., frequencies, frames] of which fewer than `freqMaskParam` neighbouring frequencies are 0. As
 * `torchaudio.transforms.FrequencyMasking`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.FrequencyMasking(4).forward(ones([1, 8, 10])).shape; // [1, 8, 10]
 */
export class FrequencyMasking extends Transform {
  readonly freqMaskParam: number;
  readonly iidMasks: boolean;

  constructor(freqMaskParam: number, options: MaskingOptions = {}) {
    frequencyTakes.check(new.target.name, arguments);
    super();
    this.freqMaskParam = freqMaskParam;
    this.iidMasks = options.iidMasks ?? false;
  }

  protected override transform(specgram: Tensor, { generator }: TransformContext): Tensor {
    return maskAlongAxis(specgram, this.freqMaskParam, 0, 'frequency', { iidMasks: this.iidMasks, generator });
  }
}

export interface TimeMaskingOptions extends MaskingOptions {
  /** How much of the time is masked at most, 0 … 1. Default: 1. */
  p?: number;
}

const timeTakes = signature<TimeMaskingOptions>({ timeMaskParam: size }, { iidMasks: boolean, p: fraction });

/**
 * Spectrograms [..., frequencies, frames] of which fewer than `timeMaskParam` neighbouring frames are 0. As
 * `torchaudio.transforms.TimeMasking`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.TimeMasking(4, { p: 0.2 }).forward(ones([1, 8, 10])).shape; // [1, 8, 10]
 */
export class TimeMasking extends Transform {
  readonly timeMaskParam: number;
  readonly iidMasks: boolean;
  readonly p: number;

  constructor(timeMaskParam: number, options: TimeMaskingOptions = {}) {
    timeTakes.check(new.target.name, arguments);
    super();
    this.timeMaskParam = timeMaskParam;
    this.iidMasks = options.iidMasks ?? false;
    this.p = options.p ?? 1;
  }

  protected override transform(specgram: Tensor, { generator }: TransformContext): Tensor {
    const { iidMasks, p } = this;
    return maskAlongAxis(specgram, this.timeMaskParam, 0, 'time', { iidMasks, p, generator });
  }
}
