import { boolean, count, kind, positive } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensor, type Tensor } from '../../tensor/index.js';
import { dirichlet, fraction, wholeFrom, type TransformContext } from '../draws.js';
import { wholeBetween } from '../numbers.js';
import { Augment, augmentOptions, bits, ofHeight, ofWidth, strengths, type AugmentOptions, type Space } from './operations.js'; // prettier-ignore

export interface AugMixOptions extends AugmentOptions {
  /** How many of the ten strengths operations have, from the weakest on, 1 … 10. Default: 3. */
  severity?: number;
  /** How many chains of operations are mixed. Default: 3. */
  mixtureWidth?: number;
  /** How many operations a chain has; -1 draws 1 to 3. Default: -1. */
  chainDepth?: number;
  /** The concentration of the distributions that shares are drawn from. Default: 1. */
  alpha?: number;
  /** Whether brightness, colour, contrast and sharpness change too. Default: true. */
  allOps?: boolean;
}

const takes = signature<AugMixOptions>(
  {},
  {
    severity: wholeBetween(1, 10),
    mixtureWidth: count,
    chainDepth: kind('a whole number above 0, or -1', (value) => value === -1 || count.accepts(value)),
    alpha: positive,
    allOps: boolean,
    ...augmentOptions,
  },
);

const { warps, levels, whole, colors } = strengths({
  shear: 0.3,
  translateX: ofWidth(1 / 3),
  translateY: ofHeight(1 / 3),
  rotate: 30,
  color: 0.9,
  bits: bits(4, 4),
});
const partial: Space = [...warps, ...levels, ...whole];
const full: Space = [...partial, ...colors];

/**
 * Images mixed with what some chains of operations make of them, in random shares; of a batch, each image has its own shares and
 * all have the same operations. As `torchvision.transforms.v2.AugMix`; "AugMix: A Simple Data Processing Method to Improve
 * Robustness and Uncertainty" (Hendrycks et al., 2020).
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.AugMix({ severity: 1 }).forward(ones([3, 32, 32]).to('uint8')).shape; // [3, 32, 32]
 */
export class AugMix extends Augment {
  readonly severity: number;
  readonly mixtureWidth: number;
  readonly chainDepth: number;
  readonly alpha: number;
  readonly allOps: boolean;

  constructor(options: AugMixOptions = {}) {
    takes.check(new.target.name, arguments);
    super({ interpolation: 'bilinear', ...options });
    this.severity = options.severity ?? 3;
    this.mixtureWidth = options.mixtureWidth ?? 3;
    this.chainDepth = options.chainDepth ?? -1;
    this.alpha = options.alpha ?? 1;
    this.allOps = options.allOps ?? true;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    this.sizeOf(image);
    const batch = image.ndim === 3 ? image.unsqueeze(0) : image;
    const images = batch.shape[0]!;
    const concentrations = (length: number): Tensor =>
      tensor(Array<number>(length).fill(this.alpha), { dtype: 'float32' }).expand([images, -1]);
    const perImage = (shares: Tensor): Tensor =>
      shares.reshape([images, ...Array<number>(batch.ndim - 1).fill(1)]).to(batch.device);
    const own = dirichlet(concentrations(2), context);
    const shares = dirichlet(concentrations(this.mixtureWidth), context).mul(own.select(1, 1).reshape([images, 1]));
    const mixed = perImage(own.select(1, 0)).mul(batch);
    for (let i = 0; i < this.mixtureWidth; ++i) {
      const depth = this.chainDepth > 0 ? this.chainDepth : wholeFrom(1, 4, context);
      let chain = batch;
      for (let j = 0; j < depth; ++j) chain = this.drawn(chain, context);
      mixed.add_(perImage(shares.select(1, i)).mul(chain));
    }
    return mixed.reshape(image.shape).to(image.dtype);
  }

  private drawn(batch: Tensor, context: TransformContext): Tensor {
    const space = this.allOps ? full : partial;
    const [operation, of, isSigned] = space[wholeFrom(0, space.length, context)]!;
    if (of === null) return this.operate(batch, operation, 0);
    let value = Number(
      of(10, this.sizeOf(batch))
        .at(wholeFrom(0, this.severity, context))
        .item(),
    );
    if (isSigned && fraction(context) <= 0.5) value = -value;
    return this.operate(batch, operation, value);
  }
}
