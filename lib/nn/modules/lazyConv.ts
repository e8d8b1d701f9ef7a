import { AiforgeError } from '../../errors.js';
import { size } from '../../kinds.js';
import { signature, nothing, type Signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  hasUninitializedParams,
  initializeOnForward,
  regular,
  type LazyLayer,
  type LazyModule,
  type ModuleStatics,
} from '../lazy.js';
import type { ConvolutionPadding } from '../operators/convolution.js';
import { materialize, UninitializedParameter } from '../uninitialized.js';
import { Conv1d, Conv2d, Conv3d, convOptions, type ConvOptions } from './conv.js';
import type { ConvNd } from './convNd.js';
import {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  convTransposeOptions,
  type ConvTransposeOptions,
} from './convTranspose.js';
import { sizes, type AnySize } from './sizes.js';
import { checkInput } from '../checks.js';

type Convolution = ConvNd<ConvolutionPadding>;
type Options = ConvOptions<AnySize> | ConvTransposeOptions<AnySize>;

/** Replaces the parameters of a convolution without channels by ones whose shapes are still to come. */
function prepare(layer: Convolution & LazyModule, outChannels: number, { bias = true, device, dtype }: Options): void {
  const factory = { ...(device !== undefined && { device }), ...(dtype !== undefined && { dtype }) };
  layer.outChannels = outChannels;
  layer.weight = new UninitializedParameter(factory);
  if (bias) layer.bias = new UninitializedParameter(factory);
  initializeOnForward(layer);
}

const isReady = (layer: Convolution): boolean => !hasUninitializedParams(layer) && layer.inChannels !== 0;

/** The number of channels of an input, with or without a batch. */
function channelsOf(layer: Convolution, input: Tensor): number {
  checkInput(layer.constructor.name, input);
  const unbatched = layer.kernelSize.length + 1;
  const dims = input.dim();
  if (dims === unbatched || dims === unbatched + 1) return input.size(dims - unbatched);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${layer.constructor.name}: expected an input of ${unbatched} or ${unbatched + 1} dimensions, got [${input.shape.join(', ')}].`,
  );
}

function initialize(layer: Convolution, input: Tensor): void {
  if (!hasUninitializedParams(layer)) return;
  const { outChannels, groups, kernelSize, transposed } = layer;
  const inChannels = channelsOf(layer, input);
  if (inChannels % groups !== 0) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${layer.constructor.name}: the input's channels must be divisible by groups, got ${inChannels} and ${groups}.`,
    );
  }
  layer.inChannels = inChannels;
  const [first, second] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
  materialize(layer.weight, [first, Math.floor(second / groups), ...kernelSize]);
  materialize(layer.bias, [outChannels]);
  layer.resetParameters();
}

type AnyConv = new (inChannels: number, outChannels: number, kernelSize: AnySize, options: Options) => Convolution;

/** The lazy class of a convolution's: its constructor takes all but `inChannels`. */
function lazy(Regular: AnyConv, takes: Signature): NewableFunction {
  abstract class Lazy extends Regular implements LazyLayer {
    constructor(outChannels: number, kernelSize: AnySize, options: Options = {}) {
      takes.check(new.target.name, arguments);
      super(0, 0, kernelSize, { ...options, bias: false });
      prepare(this, outChannels, options);
    }

    get [regular](): object {
      return Regular.prototype as object;
    }

    override resetParameters(): void {
      nothing.check('resetParameters', arguments);
      if (isReady(this)) super.resetParameters();
    }

    hasUninitializedParams(): boolean {
      nothing.check('hasUninitializedParams', arguments);
      return hasUninitializedParams(this);
    }

    initializeParameters(input: Tensor): void {
      initialize(this, input);
    }
  }
  return Lazy;
}

const lazyConvTakes = signature({ outChannels: size, kernelSize: sizes }, convOptions);

type LazyConv<S extends AnySize, Layer> = ModuleStatics &
  (new (outChannels: number, kernelSize: S, options?: ConvOptions<S>) => Layer & LazyLayer);

const lazyConv = <S extends AnySize, Layer extends Convolution>(
  Regular: new (inChannels: number, outChannels: number, kernelSize: S, options?: ConvOptions<S>) => Layer,
) => lazy(Regular as unknown as AnyConv, lazyConvTakes) as unknown as LazyConv<S, Layer>;

/**
 * A `Conv1d` whose `inChannels` are those of the first input; it is an ordinary Conv1d afterwards. As `torch.nn.LazyConv1d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in the first forward, for an input of other dimensions or whose channels `groups`
 * does not divide.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.LazyConv1d(8, 3);
 * layer.forward(randn([2, 4, 9]));
 * String(layer); // 'Conv1d(4, 8, kernel_size=(3,), stride=(1,))'
 */
export class LazyConv1d extends lazyConv(Conv1d) {}

/**
 * A `Conv2d` whose `inChannels` are those of the first input; it is an ordinary Conv2d afterwards. As `torch.nn.LazyConv2d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in the first forward, for an input of other dimensions or whose channels `groups`
 * does not divide.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.LazyConv2d(8, 3);
 * layer.forward(randn([2, 3, 5, 5]));
 * String(layer); // 'Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))'
 */
export class LazyConv2d extends lazyConv(Conv2d) {}

/**
 * A `Conv3d` whose `inChannels` are those of the first input; it is an ordinary Conv3d afterwards. As `torch.nn.LazyConv3d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in the first forward, for an input of other dimensions or whose channels `groups`
 * does not divide.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.LazyConv3d(8, 1);
 * layer.forward(randn([2, 3, 2, 2, 2]));
 * String(layer); // 'Conv3d(3, 8, kernel_size=(1, 1, 1), stride=(1, 1, 1))'
 */
export class LazyConv3d extends lazyConv(Conv3d) {}

const lazyConvTransposeTakes = signature({ outChannels: size, kernelSize: sizes }, convTransposeOptions);

type LazyConvTranspose<S extends AnySize, Layer> = ModuleStatics &
  (new (outChannels: number, kernelSize: S, options?: ConvTransposeOptions<S>) => Layer & LazyLayer);

const lazyConvTranspose = <S extends AnySize, Layer extends Convolution>(
  Regular: new (inChannels: number, outChannels: number, kernelSize: S, options?: ConvTransposeOptions<S>) => Layer,
) => lazy(Regular as unknown as AnyConv, lazyConvTransposeTakes) as unknown as LazyConvTranspose<S, Layer>;

/**
 * A `ConvTranspose1d` whose `inChannels` are those of the first input; it is an ordinary ConvTranspose1d afterwards. As `torch.nn.LazyConvTranspose1d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in the first forward, for an input of other dimensions or whose channels `groups`
 * does not divide.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.LazyConvTranspose1d(8, 3);
 * layer.forward(randn([2, 4, 9]));
 * String(layer); // 'ConvTranspose1d(4, 8, kernel_size=(3,), stride=(1,))'
 */
export class LazyConvTranspose1d extends lazyConvTranspose(ConvTranspose1d) {}

/**
 * A `ConvTranspose2d` whose `inChannels` are those of the first input; it is an ordinary ConvTranspose2d afterwards. As `torch.nn.LazyConvTranspose2d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in the first forward, for an input of other dimensions or whose channels `groups`
 * does not divide.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.LazyConvTranspose2d(8, 3);
 * layer.forward(randn([2, 3, 5, 5]));
 * String(layer); // 'ConvTranspose2d(3, 8, kernel_size=(3, 3), stride=(1, 1))'
 */
export class LazyConvTranspose2d extends lazyConvTranspose(ConvTranspose2d) {}

/**
 * A `ConvTranspose3d` whose `inChannels` are those of the first input; it is an ordinary ConvTranspose3d afterwards. As `torch.nn.LazyConvTranspose3d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in the first forward, for an input of other dimensions or whose channels `groups`
 * does not divide.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.LazyConvTranspose3d(8, 1);
 * layer.forward(randn([2, 3, 2, 2, 2]));
 * String(layer); // 'ConvTranspose3d(3, 8, kernel_size=(1, 1, 1), stride=(1, 1, 1))'
 */
export class LazyConvTranspose3d extends lazyConvTranspose(ConvTranspose3d) {}
