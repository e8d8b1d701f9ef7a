import { AiforgeError } from '../../errors.js';
import { boolean, fraction, whole, size, type Kinds, orNull } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { isGradEnabled } from '../../autograd/modes.js';
import { empty } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { additiveMask, attentionForward, attentionOptions, type AttentionOptions } from '../functional/attention.js';
import { constant_, xavierNormal_, xavierUniform_ } from '../init.js';
import { Linear, factoryOptions, type FactoryOptions } from './linear.js';
import { Module } from '../module.js';
import { nativeMultiHeadAttention, view } from '../operators.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { tensorKind } from '../../tensor/kinds.js';

export interface MultiheadAttentionOptions extends FactoryOptions {
  /** The probability to drop an attention weight in training. Default: 0. */
  dropout?: number;
  /** Whether the projections have a bias. Default: true. */
  bias?: boolean;
  /** Whether keys and values get a learnt row more. Default: false. */
  addBiasKv?: boolean;
  /** Whether keys and values get a row of zeros more. Default: false. */
  addZeroAttn?: boolean;
  /** The features of keys. Default: `embedDim`. */
  kdim?: number;
  /** The features of values. Default: `embedDim`. */
  vdim?: number;
  /** Whether inputs are [batch, length, features] and not [length, batch, features]. Default: false. */
  batchFirst?: boolean;
}

const multiheadAttentionOptions: Kinds<MultiheadAttentionOptions> = {
  dropout: fraction,
  bias: boolean,
  addBiasKv: boolean,
  addZeroAttn: boolean,
  kdim: size,
  vdim: size,
  batchFirst: boolean,
  ...factoryOptions,
};

// PyTorch's name for the output projection, which its printed modules show.
class NonDynamicallyQuantizableLinear extends Linear {}

const mergeMasksTakes = signature({ attn: orNull(tensorKind), padding: orNull(tensorKind), query: tensorKind });

const multiheadAttentionTakes = signature({ embedDim: whole, numHeads: whole }, multiheadAttentionOptions);

const forwardTakes = signature({ query: tensorKind, key: tensorKind, value: tensorKind }, attentionOptions);

/**
 * Attention with several heads: each computes `softmax(q · kᵀ / sqrt(headDim)) · v` of its own projections of query, key
 * and value, and `outProj` mixes their results. From queries [L, N, embedDim], keys [S, N, kdim] and values [S, N, vdim],
 * the batch first with `batchFirst`, or without a batch, to [L, N, embedDim] and the weights [N, L, S]. In evaluation
 * without gradients one fused operator computes self-attention where PyTorch's does. As `torch.nn.MultiheadAttention`.
 *
 * Throws `INVALID_ARGUMENT` unless `embedDim` is a positive multiple of `numHeads`, and for shapes and masks that do not fit.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
 * const x = randn([3, 5, 8]);
 * const [output, weights] = attention.forward(x, x, x);
 * output.shape; // [3, 5, 8]
 * weights?.shape; // [3, 5, 5]
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly addZeroAttn: boolean;
  qProjWeight: Parameter | null;
  kProjWeight: Parameter | null;
  vProjWeight: Parameter | null;
  inProjWeight: Parameter | null;
  inProjBias: Parameter | null;
  biasK: Parameter | null;
  biasV: Parameter | null;
  outProj: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    multiheadAttentionTakes.check(new.target.name, arguments);
    super();
    const { dropout = 0, bias = true, addBiasKv = false, addZeroAttn = false, batchFirst = false } = options;
    const { kdim = embedDim, vdim = embedDim, device, dtype } = options;
    if (!(embedDim > 0 && numHeads > 0 && Number.isInteger(embedDim / numHeads))) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `MultiheadAttention: embedDim must be a positive multiple of numHeads, got ${embedDim} and ${numHeads}.`,
      );
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.headDim = embedDim / numHeads;
    this.kdim = kdim;
    this.vdim = vdim;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.addZeroAttn = addZeroAttn;

    const parameter = (...shape: number[]): Parameter => new Parameter(empty(shape, { device, dtype }));
    const isPacked = kdim === embedDim && vdim === embedDim;
    this.qProjWeight = isPacked ? null : parameter(embedDim, embedDim);
    this.kProjWeight = isPacked ? null : parameter(embedDim, kdim);
    this.vProjWeight = isPacked ? null : parameter(embedDim, vdim);
    this.inProjWeight = isPacked ? parameter(3 * embedDim, embedDim) : null;
    this.inProjBias = bias ? parameter(3 * embedDim) : null;
    this.biasK = addBiasKv ? parameter(1, 1, embedDim) : null;
    this.biasV = addBiasKv ? parameter(1, 1, embedDim) : null;
    this.outProj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, device, dtype });
    this.resetParameters();
    noteMembers(this);
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight]) {
      if (weight !== null) xavierUniform_(weight);
    }
    if (this.inProjBias !== null) constant_(this.inProjBias, 0);
    if (this.outProj.bias !== null) constant_(this.outProj.bias, 0);
    for (const bias of [this.biasK, this.biasV]) if (bias !== null) xavierNormal_(bias);
  }

  /** The output and, unless `needWeights` is false, the attention weights. */
  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionOptions = {},
  ): [output: Tensor, weights: Tensor | null] {
    forwardTakes.check('forward', arguments);
    const fast = this.fastWeights(query, key, value, options);
    if (fast !== null) return this.forwardFast(query, fast, options);

    const transposes = this.batchFirst && query.dim() === 3;
    const [q, k, v] = transposes ? transposeAll(query, key, value) : [query, key, value];
    const weights = {
      inProjWeight: this.inProjWeight,
      inProjBias: this.inProjBias,
      qProjWeight: this.qProjWeight,
      kProjWeight: this.kProjWeight,
      vProjWeight: this.vProjWeight,
      biasK: this.biasK,
      biasV: this.biasV,
      addZeroAttn: this.addZeroAttn,
      outProjWeight: this.outProj.weight,
      outProjBias: this.outProj.bias,
    };
    const forwarded = { ...options, dropoutP: this.dropout, training: this.training };
    const [output, attention] = attentionForward(q, k, v, this.numHeads, weights, forwarded);
    return [transposes ? output.transpose(1, 0) : output, attention];
  }

  // The weights for LibTorch's fused self-attention, or null where PyTorch does not use it.
  private fastWeights(query: Tensor, key: Tensor, value: Tensor, masks: AttentionOptions): FastWeights | null {
    const { inProjWeight, inProjBias, outProj } = this;
    if (this.training || !this.batchFirst || this.numHeads % 2 !== 0 || this.addZeroAttn) return null;
    if (query !== key || key !== value || query.dim() !== 3 || this.biasK !== null) return null;
    if (inProjWeight === null || inProjBias === null || outProj.bias === null) return null;
    for (const mask of [masks.attnMask, masks.keyPaddingMask]) if (mask != null && mask.dtype !== 'bool') return null;
    if (query.dtype !== inProjWeight.dtype || query.dtype !== inProjBias.dtype) return null;
    const weights: FastWeights = [inProjWeight, inProjBias, outProj.weight, outProj.bias];
    if (isGradEnabled() && [query, ...weights].some((tensor) => tensor.requiresGrad)) return null;
    return weights;
  }

  private forwardFast(query: Tensor, weights: FastWeights, options: AttentionOptions): [Tensor, Tensor | null] {
    const { needWeights = true, averageAttnWeights = true } = options;
    const padding = additiveMask(options.keyPaddingMask ?? null, 'keyPaddingMask', query);
    const attn = additiveMask(options.attnMask ?? null, 'attnMask', query);
    const [mask, type] = this.mergeMasks(attn, padding, query);
    return nativeMultiHeadAttention(
      query,
      this.embedDim,
      this.numHeads,
      weights,
      mask,
      type,
      needWeights,
      averageAttnWeights,
    );
  }

  /** A mask of keys alone as it is, of type 1; any mask of pairs, with or without one of keys, as one of type 2. */
  mergeMasks(attn: Tensor | null, padding: Tensor | null, query: Tensor): [mask: Tensor | null, type: number | null] {
    mergeMasksTakes.check('mergeMasks', arguments);
    if (attn === null) return padding === null ? [null, null] : [padding, 1];
    const [batch, length] = query.shape as [number, number];
    const expanded =
      attn.dim() === 3
        ? view(attn, [batch, -1, length, length])
        : view(attn, [1, 1, length, length]).expand([batch, this.numHeads, -1, -1]);
    if (padding === null) return [expanded, 2];
    return [expanded.add(view(padding, [batch, 1, 1, length]).expand([-1, this.numHeads, -1, -1])), 2];
  }
}

type FastWeights = [inWeight: Tensor, inBias: Tensor, outWeight: Tensor, outBias: Tensor];

// Equal inputs stay one tensor, since self-attention projects that once.
function transposeAll(query: Tensor, key: Tensor, value: Tensor): [Tensor, Tensor, Tensor] {
  const q = query.transpose(1, 0);
  if (key !== value) return [q, key.transpose(1, 0), value.transpose(1, 0)];
  const k = query === key ? q : key.transpose(1, 0);
  return [q, k, k];
}
