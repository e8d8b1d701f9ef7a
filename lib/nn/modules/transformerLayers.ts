import { boolean, number, fraction, whole, size, kind, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { isGradEnabled } from '../../autograd/modes.js';
import type { Tensor } from '../../tensor/tensor.js';
import { gelu, relu } from '../functional.js';
import { additiveMask } from '../functional/attention.js';
import { Module } from '../module.js';
import { transformerEncoderLayer } from '../operators/transformer.js';
import { hooksOf } from '../members/registry.js';
import { ReLU } from './rectifiers.js';
import { GELU } from './smoothActivations.js';
import { MultiheadAttention } from './attention.js';
import type { Layer } from './containers.js';
import { Dropout } from './dropout.js';
import { LayerNorm } from './normalization.js';
import { Linear, factoryOptions, type FactoryOptions } from './linear.js';
import { tensorKind } from '../../tensor/kinds.js';

/** What the feed-forward net of a layer applies between its linear layers. */
export type TransformerActivation = 'relu' | 'gelu' | Layer | ((input: Tensor) => Tensor);

export interface TransformerLayerOptions extends FactoryOptions {
  /** The features between the linear layers of the feed-forward net. Default: 2048. */
  dimFeedforward?: number;
  /** The probability to drop an element. Default: 0.1. */
  dropout?: number;
  /** Default: `'relu'`. */
  activation?: TransformerActivation;
  /** Added to the variance in the norms. Default: 1e-5. */
  layerNormEps?: number;
  /** Whether tensors are [batch, length, features] and not [length, batch, features]. Default: false. */
  batchFirst?: boolean;
  /** Whether norms come before attention and feed-forward net, not after. Default: false. */
  normFirst?: boolean;
  /** Whether linear layers and norms have biases. Default: true. */
  bias?: boolean;
}

const isActivation = (value: unknown): boolean =>
  value === 'relu' || value === 'gelu' || typeof value === 'function' || value instanceof Module;

export const transformerLayerOptions: Kinds<TransformerLayerOptions> = {
  dimFeedforward: size,
  dropout: fraction,
  activation: kind<TransformerActivation>("'relu', 'gelu', a function or a layer", isActivation),
  layerNormEps: number,
  batchFirst: boolean,
  normFirst: boolean,
  bias: boolean,
  ...factoryOptions,
};

export interface TransformerEncoderLayerMasks {
  /** [length, length] or [batch * heads, length, length]: true for pairs to leave out, or numbers to add. */
  srcMask?: Tensor | null;
  /** [batch, length]: true for places to leave out, or numbers to add. */
  srcKeyPaddingMask?: Tensor | null;
  /** Says that `srcMask`, which must be given, is the causal mask. Default: false. */
  isCausal?: boolean;
}

const encoderLayerTakes = signature<TransformerEncoderLayerMasks>(
  { src: tensorKind },
  { srcMask: orNull(tensorKind), srcKeyPaddingMask: orNull(tensorKind), isCausal: boolean },
);

export interface TransformerDecoderLayerMasks {
  /** [target, target] or [batch * heads, target, target]: true for pairs to leave out, or numbers to add. */
  tgtMask?: Tensor | null;
  /** [target, source] or [batch * heads, target, source]. */
  memoryMask?: Tensor | null;
  /** [batch, target]: true for places to leave out, or numbers to add. */
  tgtKeyPaddingMask?: Tensor | null;
  /** [batch, source]. */
  memoryKeyPaddingMask?: Tensor | null;
  /** Says that `tgtMask`, which must be given, is the causal mask. Default: false. */
  tgtIsCausal?: boolean;
  /** Says that `memoryMask`, which must be given, is the causal mask. Default: false. */
  memoryIsCausal?: boolean;
}

export const decoderMasks: Kinds<TransformerDecoderLayerMasks> = {
  tgtMask: orNull(tensorKind),
  memoryMask: orNull(tensorKind),
  tgtKeyPaddingMask: orNull(tensorKind),
  memoryKeyPaddingMask: orNull(tensorKind),
  tgtIsCausal: boolean,
  memoryIsCausal: boolean,
};

function activationOf(activation: TransformerActivation): Layer | ((input: Tensor) => Tensor) {
  if (activation === 'relu') return relu;
  return activation === 'gelu' ? gelu : activation;
}

// What the layers of encoder and decoder share. They list their members themselves: printed modules show their order.
abstract class TransformerLayer extends Module {
  abstract readonly selfAttn: MultiheadAttention;
  abstract readonly linear1: Linear;
  abstract readonly dropout: Dropout;
  abstract readonly linear2: Linear;
  abstract readonly activation: Layer | ((input: Tensor) => Tensor);

  protected feedForward(x: Tensor): Tensor {
    const { activation } = this;
    const hidden = this.linear1.forward(x);
    const active = typeof activation === 'function' ? activation(hidden) : activation.forward(hidden);
    return this.linear2.forward(this.dropout.forward(active));
  }
}

function attend(
  attention: MultiheadAttention,
  x: Tensor,
  memory: Tensor,
  attnMask: Tensor | null,
  keyPaddingMask: Tensor | null,
  isCausal: boolean,
): Tensor {
  return attention.forward(x, memory, memory, { attnMask, keyPaddingMask, isCausal, needWeights: false })[0];
}

/** x plus what a part of the layer makes of it; the norm comes before the part or after the sum. */
function residual(x: Tensor, part: (x: Tensor) => Tensor, norm: LayerNorm, normFirst: boolean): Tensor {
  return normFirst ? x.add(part(norm.forward(x))) : norm.forward(x.add(part(x)));
}

const transformerLayerTakes = signature({ dModel: whole, nhead: whole }, transformerLayerOptions);

/**
 * A layer of a Transformer's encoder, as `torch.nn.TransformerEncoderLayer`: self-attention and a feed-forward net, each
 * with dropout, a residual connection and a norm: `y = norm1(x + attention(x))`, `norm2(y + net(y))`, or with `normFirst`
 * `y = x + attention(norm1(x))`, `y + net(norm2(y))`. In evaluation, without gradients, it is one operator where PyTorch
 * uses that.
 *
 * Shapes: [length, batch, dModel] in and out, [batch, length, dModel] with `batchFirst`, without the batch for one sequence.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `dModel` that is no multiple of `nhead`, an unknown activation, and masks that
 * do not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * layer.forward(randn([3, 5, 8])).shape; // [3, 5, 8]
 */
export class TransformerEncoderLayer extends TransformerLayer {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly normFirst: boolean;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly activation: Layer | ((input: Tensor) => Tensor);

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    transformerLayerTakes.check(new.target.name, arguments);
    super();
    const { dimFeedforward = 2048, dropout = 0.1, activation = 'relu', layerNormEps: eps = 1e-5 } = options;
    const { batchFirst = false, normFirst = false, bias = true, device, dtype } = options;
    const factory = { bias, device, dtype };
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...factory });
    this.linear1 = new Linear(dModel, dimFeedforward, factory);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, factory);
    this.normFirst = normFirst;
    this.norm1 = new LayerNorm(dModel, { eps, ...factory });
    this.norm2 = new LayerNorm(dModel, { eps, ...factory });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.activation = activationOf(activation);
  }

  override forward(src: Tensor, options: TransformerEncoderLayerMasks = {}): Tensor {
    encoderLayerTakes.check('forward', arguments);
    const { isCausal = false } = options;
    const padding = additiveMask(options.srcKeyPaddingMask ?? null, 'srcKeyPaddingMask', src);
    const mask = additiveMask(options.srcMask ?? null, 'srcMask', src);
    const weights = this.fastWeights(src, mask !== null || padding !== null);
    if (weights !== null) return this.forwardFast(src, weights, mask, padding);

    const attended = (x: Tensor): Tensor => this.dropout1.forward(attend(this.selfAttn, x, x, mask, padding, isCausal));
    const fed = (x: Tensor): Tensor => this.dropout2.forward(this.feedForward(x));
    const x = residual(src, attended, this.norm1, this.normFirst);
    return residual(x, fed, this.norm2, this.normFirst);
  }

  private forwardFast(src: Tensor, weights: Tensor[], mask: Tensor | null, padding: Tensor | null): Tensor {
    const [merged, type] = this.selfAttn.mergeMasks(mask, padding, src);
    const { embedDim, numHeads } = this.selfAttn;
    const useGelu = this.fusedActivation === 'gelu';
    const settings = { embedDim, numHeads, useGelu, normFirst: this.normFirst, eps: this.norm1.eps };
    return transformerEncoderLayer(src, weights, merged, type, settings);
  }

  /** The activation, if the fused operator has it. */
  get fusedActivation(): 'relu' | 'gelu' | null {
    if (this.activation === relu || this.activation instanceof ReLU) return 'relu';
    return this.activation === gelu || this.activation instanceof GELU ? 'gelu' : null;
  }

  /** Why the fused operator cannot take this layer's weights, or null if it can. */
  get unfusable(): string | null {
    const { selfAttn } = this;
    if (!selfAttn.batchFirst) return 'batchFirst is false';
    if (selfAttn.inProjBias === null) return 'it has no biases';
    if (selfAttn.inProjWeight === null) return 'the attention has no single weight for its input';
    if (this.fusedActivation === null) return "its activation is neither 'relu' nor 'gelu'";
    if (this.norm1.eps !== this.norm2.eps) return 'its norms have two values of eps';
    return selfAttn.numHeads % 2 === 1 ? 'its number of heads is odd' : null;
  }

  /** The weights for the fused operator, or null where PyTorch does not use it. */
  private fastWeights(src: Tensor, isMasked: boolean): Tensor[] | null {
    if (this.training || src.dim() !== 3 || this.unfusable !== null || (isMasked && src.isNested)) return null;
    return this.isUnobserved(src) ? this.fusedWeights() : null;
  }

  /** @internal Whether neither gradients nor hooks need what is computed on the way, as the fused operator hides it. */
  isUnobserved(src: Tensor): boolean {
    if (isGradEnabled() && [src, ...this.fusedWeights()].some((tensor) => tensor.requiresGrad)) return false;
    for (const module of this.modules()) {
      for (const kind of ['forward', 'forwardPre'] as const) if ((hooksOf(module, kind)?.size ?? 0) > 0) return false;
    }
    return true;
  }

  // In the operator's order. A norm without weights is none that the constructor made.
  private fusedWeights(): Tensor[] {
    const { selfAttn, norm1, norm2, linear1, linear2 } = this;
    const { inProjWeight, inProjBias, outProj } = selfAttn;
    return [inProjWeight, inProjBias, outProj, norm1, norm2, linear1, linear2].flatMap((part) =>
      part instanceof Module ? [part.weight!, part.bias!] : [part!],
    );
  }
}

const decoderLayerTakes = signature({ tgt: tensorKind, memory: tensorKind }, decoderMasks);

/**
 * A layer of a Transformer's decoder, as `torch.nn.TransformerDecoderLayer`: self-attention, attention to the encoder's
 * output (`memory`) and a feed-forward net, each with dropout, a residual connection and a norm, after it, or before it
 * with `normFirst`.
 *
 * Shapes: `tgt` and output [target, batch, dModel], `memory` [source, batch, dModel]; the batch first with `batchFirst`,
 * without it for one sequence.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `dModel` that is no multiple of `nhead`, an unknown activation, and masks that
 * do not fit.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * layer.forward(randn([3, 4, 8]), randn([3, 5, 8])).shape; // [3, 4, 8]
 */
export class TransformerDecoderLayer extends TransformerLayer {
  readonly selfAttn: MultiheadAttention;
  readonly multiheadAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly normFirst: boolean;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;
  readonly activation: Layer | ((input: Tensor) => Tensor);

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    transformerLayerTakes.check(new.target.name, arguments);
    super();
    const { dimFeedforward = 2048, dropout = 0.1, activation = 'relu', layerNormEps: eps = 1e-5 } = options;
    const { batchFirst = false, normFirst = false, bias = true, device, dtype } = options;
    const factory = { bias, device, dtype };
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...factory });
    this.multiheadAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...factory });
    this.linear1 = new Linear(dModel, dimFeedforward, factory);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, factory);
    this.normFirst = normFirst;
    this.norm1 = new LayerNorm(dModel, { eps, ...factory });
    this.norm2 = new LayerNorm(dModel, { eps, ...factory });
    this.norm3 = new LayerNorm(dModel, { eps, ...factory });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.activation = activationOf(activation);
  }

  override forward(tgt: Tensor, memory: Tensor, options: TransformerDecoderLayerMasks = {}): Tensor {
    decoderLayerTakes.check('forward', arguments);
    const { tgtMask = null, memoryMask = null, tgtKeyPaddingMask = null, memoryKeyPaddingMask = null } = options;
    const { tgtIsCausal = false, memoryIsCausal = false } = options;
    const { selfAttn, multiheadAttn } = this;
    const own = (x: Tensor): Tensor =>
      this.dropout1.forward(attend(selfAttn, x, x, tgtMask, tgtKeyPaddingMask, tgtIsCausal));
    const other = (x: Tensor): Tensor =>
      this.dropout2.forward(attend(multiheadAttn, x, memory, memoryMask, memoryKeyPaddingMask, memoryIsCausal));
    const fed = (x: Tensor): Tensor => this.dropout3.forward(this.feedForward(x));
    let x = residual(tgt, own, this.norm1, this.normFirst);
    x = residual(x, other, this.norm2, this.normFirst);
    return residual(x, fed, this.norm3, this.normFirst);
  }
}
