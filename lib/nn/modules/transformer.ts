import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { boolean, whole, size, orNull, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { full } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { additiveMask } from '../functional/attention.js';
import { xavierUniform_ } from '../init.js';
import { Module } from '../module.js';
import { isLeftAligned, nestedFromMask } from '../operators/transformer.js';
import { ModuleList, type Layer } from './containers.js';
import { LayerNorm } from './normalization.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import {
  decoderMasks,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  transformerLayerOptions,
  type TransformerDecoderLayerMasks,
  type TransformerEncoderLayerMasks,
  type TransformerLayerOptions,
} from './transformerLayers.js';
import { layerKind } from '../moduleKinds.js';
import { tensorKind } from '../../tensor/kinds.js';
import { checkInput } from '../checks.js';

/** An encoder's layer: a `TransformerEncoderLayer`, or what is called like one. */
export interface EncoderLayer extends Module {
  readonly selfAttn: { readonly batchFirst: boolean };
  forward(src: Tensor, options: TransformerEncoderLayerMasks): Tensor;
}

/** A decoder's layer: a `TransformerDecoderLayer`, or what is called like one. */
export interface DecoderLayer extends Module {
  readonly selfAttn: { readonly batchFirst: boolean };
  forward(tgt: Tensor, memory: Tensor, options: TransformerDecoderLayerMasks): Tensor;
}

export interface TransformerEncoderOptions {
  /** Applied to the last layer's output. Default: none. */
  norm?: Layer | null;
  /** Whether padding is left out, in evaluation without gradients, where the layers allow it. Default: true. */
  enableNestedTensor?: boolean;
  /** Whether it is checked that padding is at the end before it is left out. Default: true. */
  maskCheck?: boolean;
}

const transformerEncoderOptions: Kinds<TransformerEncoderOptions> = {
  norm: orNull(layerKind<Layer>()),
  enableNestedTensor: boolean,
  maskCheck: boolean,
};

export interface TransformerEncoderMasks {
  /** [length, length] or [batch * heads, length, length]: true for pairs to leave out, or numbers to add. */
  mask?: Tensor | null;
  /** [batch, length]: true for places to leave out, or numbers to add. */
  srcKeyPaddingMask?: Tensor | null;
  /** Whether `mask` is the causal mask. Default: null, it is compared with that. */
  isCausal?: boolean | null;
}

const encoderTakes = signature<TransformerEncoderMasks>(
  { src: tensorKind },
  { mask: orNull(tensorKind), srcKeyPaddingMask: orNull(tensorKind), isCausal: orNull(boolean) },
);

export interface TransformerDecoderMasks extends Omit<TransformerDecoderLayerMasks, 'tgtIsCausal'> {
  /** Whether `tgtMask` is the causal mask. Default: null, it is compared with that. */
  tgtIsCausal?: boolean | null;
}

const decoderTakes = signature<TransformerDecoderMasks>(
  { tgt: tensorKind, memory: tensorKind },
  { ...decoderMasks, tgtIsCausal: orNull(boolean) },
);

export interface TransformerDecoderOptions {
  /** Applied to the last layer's output. Default: none. */
  norm?: Layer | null;
}

const transformerDecoderOptions: Kinds<TransformerDecoderOptions> = { norm: orNull(layerKind<Layer>()) };

const clones = <T extends Module>(layer: T, count: number): ModuleList<T> =>
  new ModuleList(Array.from({ length: count }, () => layer.deepCopy()));

function squareSubsequentMask(size: number, options: FactoryOptions): Tensor {
  return scope(() => full([size, size], -Infinity, options).triu(1));
}

/** Whether a mask is to be treated as the causal one of sequences like `input`. */
function isCausalMask(mask: Tensor | null, hint: boolean | null, input: Tensor, batchFirst: boolean): boolean {
  if (hint !== null || mask === null) return hint === true;
  const { shape, dtype, device } = mask;
  const size = input.isNested ? shape.at(-2)! : input.size(input.dim() === 2 || !batchFirst ? 0 : 1);
  if (shape.length !== 2 || shape[0] !== size || shape[1] !== size) return false;
  return scope(() => mask.eq(squareSubsequentMask(size, { dtype, device })).all().item<boolean>());
}

const transformerEncoderTakes = signature(
  { encoderLayer: layerKind<EncoderLayer>(), numLayers: size },
  transformerEncoderOptions,
);

/**
 * Encoder layers one after the other, as `torch.nn.TransformerEncoder`: `numLayers` copies of `encoderLayer`, which all
 * begin with its weights. In evaluation, without gradients, a `srcKeyPaddingMask` with the padding at the end makes it
 * leave the padding out, where PyTorch does; the output is zero there.
 *
 * Shapes: as `TransformerEncoderLayer`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * const encoder = new nn.TransformerEncoder(layer, 2, { norm: new nn.LayerNorm(8) });
 * encoder.forward(randn([3, 5, 8])).shape; // [3, 5, 8]
 */
export class TransformerEncoder<L extends EncoderLayer = TransformerEncoderLayer> extends Module {
  readonly layers: ModuleList<L>;
  readonly numLayers: number;
  readonly norm: Layer | null;
  readonly enableNestedTensor: boolean;
  readonly useNestedTensor: boolean;
  readonly maskCheck: boolean;

  constructor(encoderLayer: L, numLayers: number, options: TransformerEncoderOptions = {}) {
    transformerEncoderTakes.check(new.target.name, arguments);
    super();
    const { norm = null, enableNestedTensor = true, maskCheck = true } = options;
    this.layers = clones(encoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
    this.enableNestedTensor = enableNestedTensor;
    this.maskCheck = maskCheck;
    const reason = whyNotNested(encoderLayer);
    this.useNestedTensor = enableNestedTensor && reason === null;
    if (options.enableNestedTensor === true && reason !== null) {
      logger.warn(`TransformerEncoder: enableNestedTensor does nothing, since of the encoder layer ${reason}.`);
    }
  }

  override forward(src: Tensor, options: TransformerEncoderMasks = {}): Tensor {
    encoderTakes.check('forward', arguments);
    const padding = additiveMask(options.srcKeyPaddingMask ?? null, 'srcKeyPaddingMask', src);
    const srcMask = additiveMask(options.mask ?? null, 'mask', src);
    const { batchFirst } = this.layers.at(0).selfAttn;
    const nested = srcMask === null && padding !== null ? this.withoutPadding(src, padding) : null;
    const isCausal = isCausalMask(srcMask, options.isCausal ?? null, src, batchFirst);
    const masks = { srcMask, isCausal, srcKeyPaddingMask: nested === null ? padding : null };
    let output = nested ?? src;
    for (const layer of this.layers) output = layer.forward(output, masks);
    if (nested !== null) output = output.toPaddedTensor(0, src.shape);
    return this.norm === null ? output : this.norm.forward(output);
  }

  // A nested tensor of the sequences without their padding, or null where PyTorch makes none.
  private withoutPadding(src: Tensor, padding: Tensor): Tensor | null {
    const first: Module = this.layers.at(0);
    if (!this.useNestedTensor || first.training || src.dim() !== 3 || src.isNested) return null;
    if (!(first instanceof TransformerEncoderLayer) || !first.isUnobserved(src)) return null;
    const kept = padding.logicalNot();
    return this.maskCheck && !isLeftAligned(src, kept) ? null : nestedFromMask(src, kept);
  }
}

function whyNotNested(layer: Module): string | null {
  if (!(layer instanceof TransformerEncoderLayer)) return 'the class is not TransformerEncoderLayer';
  return layer.normFirst ? 'normFirst is true' : layer.unfusable;
}

const transformerDecoderTakes = signature(
  { decoderLayer: layerKind<DecoderLayer>(), numLayers: size },
  transformerDecoderOptions,
);

/**
 * Decoder layers one after the other, as `torch.nn.TransformerDecoder`: `numLayers` copies of `decoderLayer`, which all
 * begin with its weights.
 *
 * Shapes: as `TransformerDecoderLayer`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * const decoder = new nn.TransformerDecoder(layer, 2);
 * const tgtMask = nn.Transformer.generateSquareSubsequentMask(4);
 * decoder.forward(randn([3, 4, 8]), randn([3, 5, 8]), { tgtMask }).shape; // [3, 4, 8]
 */
export class TransformerDecoder<L extends DecoderLayer = TransformerDecoderLayer> extends Module {
  readonly layers: ModuleList<L>;
  readonly numLayers: number;
  readonly norm: Layer | null;

  constructor(decoderLayer: L, numLayers: number, options: TransformerDecoderOptions = {}) {
    transformerDecoderTakes.check(new.target.name, arguments);
    const { norm = null } = options;
    super();
    this.layers = clones(decoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
  }

  override forward(tgt: Tensor, memory: Tensor, options: TransformerDecoderMasks = {}): Tensor {
    decoderTakes.check('forward', arguments);
    const { batchFirst } = this.layers.at(0).selfAttn;
    const tgtIsCausal = isCausalMask(options.tgtMask ?? null, options.tgtIsCausal ?? null, tgt, batchFirst);
    const masks = { ...options, tgtIsCausal };
    let output = tgt;
    for (const layer of this.layers) output = layer.forward(output, memory, masks);
    return this.norm === null ? output : this.norm.forward(output);
  }
}

/** What computes `memory` of `src` in a `Transformer`. */
export interface Encoder extends Module {
  forward(src: Tensor, options: TransformerEncoderMasks): Tensor;
}

/** What computes the output of `tgt` and `memory` in a `Transformer`. */
export interface Decoder extends Module {
  forward(tgt: Tensor, memory: Tensor, options: TransformerDecoderMasks): Tensor;
}

export interface TransformerOptions extends TransformerLayerOptions {
  /** The features of source and target. Default: 512. */
  dModel?: number;
  /** Default: 8. */
  nhead?: number;
  /** Default: 6. */
  numEncoderLayers?: number;
  /** Default: 6. */
  numDecoderLayers?: number;
  /** Default: a `TransformerEncoder` with a norm. */
  customEncoder?: Encoder | null;
  /** Default: a `TransformerDecoder` with a norm. */
  customDecoder?: Decoder | null;
}

const transformerOptions: Kinds<TransformerOptions> = {
  dModel: whole,
  nhead: whole,
  numEncoderLayers: size,
  numDecoderLayers: size,
  ...transformerLayerOptions,
  customEncoder: orNull(layerKind<Encoder>()),
  customDecoder: orNull(layerKind<Decoder>()),
};

export interface TransformerMasks extends TransformerDecoderMasks {
  /** [source, source] or [batch * heads, source, source]: true for pairs to leave out, or numbers to add. */
  srcMask?: Tensor | null;
  /** [batch, source]: true for places to leave out, or numbers to add. */
  srcKeyPaddingMask?: Tensor | null;
  /** Whether `srcMask` is the causal mask. Default: null, it is compared with that. */
  srcIsCausal?: boolean | null;
}

const transformerForwardTakes = signature<TransformerMasks>(
  { src: tensorKind, tgt: tensorKind },
  {
    srcMask: orNull(tensorKind),
    ...decoderMasks,
    tgtIsCausal: orNull(boolean),
    srcKeyPaddingMask: orNull(tensorKind),
    srcIsCausal: orNull(boolean),
  },
);

const transformerTakes = signature({}, transformerOptions);

const squareTakes = signature({ size }, factoryOptions);

/**
 * An encoder, and a decoder that attends to its output, as `torch.nn.Transformer`. Weights of two dimensions are drawn by
 * Xavier's uniform rule.
 *
 * Shapes: `src` [source, batch, dModel], `tgt` and output [target, batch, dModel]; the batch first with `batchFirst`,
 * without it for one pair of sequences.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `dModel` that is no multiple of `nhead`, and tensors that do not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layers = { numEncoderLayers: 2, numDecoderLayers: 2, dimFeedforward: 16 };
 * const model = new nn.Transformer({ dModel: 8, nhead: 2, ...layers, batchFirst: true });
 * const tgtMask = nn.Transformer.generateSquareSubsequentMask(4);
 * model.forward(randn([3, 5, 8]), randn([3, 4, 8]), { tgtMask }).shape; // [3, 4, 8]
 */
export class Transformer extends Module {
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor(options: TransformerOptions = {}) {
    transformerTakes.check(new.target.name, arguments);
    super();
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...rest } = options;
    const { customEncoder = null, customDecoder = null, ...layer } = rest;
    const { layerNormEps: eps = 1e-5, bias = true, device, dtype } = layer;
    const makeNorm = (): LayerNorm => new LayerNorm(dModel, { eps, bias, device, dtype });
    this.encoder =
      customEncoder ??
      new TransformerEncoder(new TransformerEncoderLayer(dModel, nhead, layer), numEncoderLayers, { norm: makeNorm() });
    this.decoder =
      customDecoder ??
      new TransformerDecoder(new TransformerDecoderLayer(dModel, nhead, layer), numDecoderLayers, { norm: makeNorm() });
    this.resetParameters();
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = layer.batchFirst ?? false;
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    for (const parameter of this.parameters()) if (parameter.dim() > 1) xavierUniform_(parameter);
  }

  override forward(src: Tensor, tgt: Tensor, options: TransformerMasks = {}): Tensor {
    transformerForwardTakes.check('forward', arguments);
    this.check(src, tgt);
    const { srcMask = null, srcKeyPaddingMask = null, srcIsCausal = null, ...masks } = options;
    const memory = this.encoder.forward(src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal });
    return this.decoder.forward(tgt, memory, masks);
  }

  private check(src: Tensor, tgt: Tensor): void {
    checkInput('Transformer', src);
    checkInput('Transformer', tgt);
    const [source, target] = [src.shape, tgt.shape];
    const batchDim = this.batchFirst ? 0 : 1;
    const problem =
      source.length === 3 && source[batchDim] !== target[batchDim]
        ? 'src and tgt must have one batch size'
        : source.at(-1) !== this.dModel || target.at(-1) !== this.dModel
          ? `src and tgt must have dModel features, ${this.dModel}`
          : null;
    if (problem === null) return;
    const got = `got [${source.join(', ')}] and [${target.join(', ')}]`;
    throw new AiforgeError('INVALID_ARGUMENT', `Transformer: ${problem}, ${got}.`);
  }

  /** The causal mask: [size, size], -Infinity above the diagonal, else 0. */
  static generateSquareSubsequentMask(size: number, options: FactoryOptions = {}): Tensor {
    squareTakes.check('generateSquareSubsequentMask', arguments);
    return squareSubsequentMask(size, options);
  }
}
