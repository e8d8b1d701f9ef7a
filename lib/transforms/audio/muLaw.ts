import { optional } from '../../kinds.js';
import { signature } from '../../signature.js';
import { scope, tensor, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { wholeAboveOne } from '../numbers.js';
import { Transform } from '../transform.js';

const takes = signature({ x: tensorKind, quantizationChannels: wholeAboveOne });
const moduleTakes = signature({ quantizationChannels: optional(wholeAboveOne) });

const asFloats = (x: Tensor): Tensor => (x.isFloatingPoint() ? x : x.to('float32'));
const muOf = (x: Tensor, channels: number): Tensor => tensor(channels - 1, { dtype: x.dtype, device: x.device });

/**
 * Sounds, -1 … 1, as int64 numbers of `quantizationChannels` steps, which are finer where it is quiet. As
 * `torchaudio.functional.mu_law_encoding`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.muLawEncoding(tensor([-1, 0, 1]), 256).tolist(); // [0, 128, 255]
 */
export function muLawEncoding(x: Tensor, quantizationChannels: number): Tensor {
  takes.check('muLawEncoding', arguments);
  return scope(() => {
    const sound = asFloats(x);
    const mu = muOf(sound, quantizationChannels);
    const steps = sound.sign().mul(mu.mul(sound.abs()).log1p()).div(mu.log1p());
    return steps.add(1).div(2).mul(mu).add(0.5).to('int64'); // prettier-ignore
  });
}

/**
 * Sounds, -1 … 1, of what `muLawEncoding` gave. As `torchaudio.functional.mu_law_decoding`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.muLawDecoding(tensor([0, 255]), 256).tolist().map(Math.round); // [-1, 1]
 */
export function muLawDecoding(x: Tensor, quantizationChannels: number): Tensor {
  takes.check('muLawDecoding', arguments);
  return scope(() => {
    const steps = asFloats(x);
    const mu = muOf(steps, quantizationChannels);
    const sound = steps.div(mu).mul(2).sub(1); // prettier-ignore
    const loudness = sound.abs().mul(mu.log1p()).exp().sub(1); // prettier-ignore
    return sound.sign().mul(loudness).div(mu);
  });
}

/** The base of both. */
abstract class MuLaw extends Transform {
  readonly quantizationChannels: number;

  /** @param quantizationChannels How many steps there are. Default: 256. */
  constructor(quantizationChannels = 256) {
    moduleTakes.check(new.target.name, arguments);
    super();
    this.quantizationChannels = quantizationChannels;
  }
}

/**
 * Sounds, -1 … 1, as int64 numbers of steps that are finer where it is quiet. As `torchaudio.transforms.MuLawEncoding`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.MuLawEncoding().forward(tensor([-1, 0, 1])).tolist(); // [0, 128, 255]
 */
export class MuLawEncoding extends MuLaw {
  protected override transform(waveform: Tensor): Tensor {
    return muLawEncoding(waveform, this.quantizationChannels);
  }
}

/**
 * Sounds, -1 … 1, of what `MuLawEncoding` gave. As `torchaudio.transforms.MuLawDecoding`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.MuLawDecoding().forward(tensor([0, 255])).tolist().map(Math.round); // [-1, 1]
 */
export class MuLawDecoding extends MuLaw {
  protected override transform(steps: Tensor): Tensor {
    return muLawDecoding(steps, this.quantizationChannels);
  }
}
