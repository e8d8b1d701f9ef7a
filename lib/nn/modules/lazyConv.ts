import { AiforgeError } from '../../errors.js';
import { size } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasUninitializedParams, initializeOnForward, type LazyModule } from '../lazy.js';
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
import { sizes, type AnySize, type Size1, type Size2, type Size3 } from './sizes.js';
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

const lazyConvTakes = signature({ outChannels: size, kernelSize: sizes }, convOptions);

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
export class LazyConv1d extends Conv1d {
  constructor(outChannels: number, kernelSize: Size1, options: ConvOptions<Size1> = {}) {
    lazyConvTakes.check(new.target.name, arguments);
    super(0, 0, kernelSize, { ...options, bias: false });
    prepare(this, outChannels, options);
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
export class LazyConv2d extends Conv2d {
  constructor(outChannels: number, kernelSize: Size2, options: ConvOptions<Size2> = {}) {
    lazyConvTakes.check(new.target.name, arguments);
    super(0, 0, kernelSize, { ...options, bias: false });
    prepare(this, outChannels, options);
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
export class LazyConv3d extends Conv3d {
  constructor(outChannels: number, kernelSize: Size3, options: ConvOptions<Size3> = {}) {
    lazyConvTakes.check(new.target.name, arguments);
    super(0, 0, kernelSize, { ...options, bias: false });
    prepare(this, outChannels, options);
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

const lazyConvTransposeTakes = signature({ outChannels: size, kernelSize: sizes }, convTransposeOptions);

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
export class LazyConvTranspose1d extends ConvTranspose1d {
  constructor(outChannels: number, kernelSize: Size1, options: ConvTransposeOptions<Size1> = {}) {
    lazyConvTransposeTakes.check(new.target.name, arguments);
    super(0, 0, kernelSize, { ...options, bias: false });
    prepare(this, outChannels, options);
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
export class LazyConvTranspose2d extends ConvTranspose2d {
  constructor(outChannels: number, kernelSize: Size2, options: ConvTransposeOptions<Size2> = {}) {
    lazyConvTransposeTakes.check(new.target.name, arguments);
    super(0, 0, kernelSize, { ...options, bias: false });
    prepare(this, outChannels, options);
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
export class LazyConvTranspose3d extends ConvTranspose3d {
  constructor(outChannels: number, kernelSize: Size3, options: ConvTransposeOptions<Size3> = {}) {
    lazyConvTransposeTakes.check(new.target.name, arguments);
    super(0, 0, kernelSize, { ...options, bias: false });
    prepare(this, outChannels, options);
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
