import { AiforgeError } from '../../errors.js';
import { anything, boolean, number, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { cat, constantPadNd, zeros, zerosLike } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { dropout, linear, permute, reshape, scaledDotProductAttention, unbind, unflatten, view } from '../operators.js';
import { tensorKind } from '../../tensor/kinds.js';

/** The weights of multi-head attention; null for those that a variant does not have. */
export interface AttentionWeights {
  /** Query, key and value projections in one: [3 * embedDim, embedDim]. */
  inProjWeight?: Tensor | null;
  inProjBias?: Tensor | null;
  /** The projections one by one, where keys or values have another size than queries. */
  qProjWeight?: Tensor | null;
  kProjWeight?: Tensor | null;
  vProjWeight?: Tensor | null;
  outProjWeight: Tensor;
  outProjBias?: Tensor | null;
  biasK?: Tensor | null;
  biasV?: Tensor | null;
  /** Appends a row of zeros to keys and values. Default: false. */
  addZeroAttn?: boolean;
  /** Takes the place of the projected keys: [batch * heads, source length, features of a head]. Default: none. */
  staticK?: Tensor | null;
  /** Takes the place of the projected values. Default: none. */
  staticV?: Tensor | null;
}

export interface AttentionOptions {
  /** [batch, source length]; true, or -Infinity, for keys to leave out. */
  keyPaddingMask?: Tensor | null;
  /** Whether to return the attention weights. Without them a faster kernel is used. Default: true. */
  needWeights?: boolean;
  /** [target, source] or [batch * heads, target, source]: true for pairs to leave out, or numbers to add. */
  attnMask?: Tensor | null;
  /** Whether the weights are averaged over the heads. Default: true. */
  averageAttnWeights?: boolean;
  /** Says that `attnMask`, which must be given, is the causal mask. Default: false. */
  isCausal?: boolean;
}

export const attentionOptions: Kinds<AttentionOptions> = {
  keyPaddingMask: orNull(tensorKind),
  needWeights: boolean,
  attnMask: orNull(tensorKind),
  averageAttnWeights: boolean,
  isCausal: boolean,
};

export interface AttentionForwardOptions extends AttentionOptions {
  /** Default: 0. */
  dropoutP?: number;
  /** Whether dropout is active. Default: true. */
  training?: boolean;
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new AiforgeError('INVALID_ARGUMENT', `multiHeadAttention: ${message}.`);
}

const sizes = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
const equal = (a: readonly number[], b: readonly number[]): boolean => sizes(a) === sizes(b);
const isFloat = (tensor: Tensor): boolean => /^(float|bfloat)/.test(tensor.dtype);

/** A mask as numbers to add: 0, and -Infinity where a boolean one is true. */
export function additiveMask(mask: Tensor | null, name: string, like: Tensor): Tensor | null {
  if (mask === null || isFloat(mask)) return mask;
  check(mask.dtype === 'bool', `${name} must be boolean or floating-point, got ${mask.dtype}`);
  return zerosLike(mask, { dtype: like.dtype }).maskedFill_(mask, -Infinity);
}

function checkShapes(query: Tensor, key: Tensor, value: Tensor, padding: Tensor | null, mask: Tensor | null): boolean {
  const dims = query.dim();
  check(dims === 2 || dims === 3, `query must have 3 dimensions, or 2 without a batch, got ${sizes(query.shape)}`);
  check(
    key.dim() === dims && value.dim() === dims,
    `key and value must have ${dims} dimensions as query has, got ${sizes(key.shape)} and ${sizes(value.shape)}`,
  );
  check(
    padding === null || padding.dim() === dims - 1,
    `keyPaddingMask must have ${dims - 1} dimensions, got ${sizes(padding?.shape ?? [])}`,
  );
  check(
    mask === null || mask.dim() === 2 || mask.dim() === 3,
    `attnMask must have 2 or 3 dimensions, got ${sizes(mask?.shape ?? [])}`,
  );
  return dims === 3;
}

type Triple = [query: Tensor, key: Tensor, value: Tensor];

// The `n` packed projections of [length, batch, n * E], each contiguous.
function unpack(projection: Tensor, n: number, E: number): Tensor[] {
  return unbind(permute(unflatten(projection, -1, [n, E]), [2, 0, 1, 3]).contiguous());
}

function projectPacked(query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Tensor | null): Triple {
  const E = query.size(-1);
  if (key === value && query === key) return unpack(linear(query, weight, bias), 3, E) as Triple;
  if (key === value) {
    const [weightQ, weightKV] = weight.splitWithSizes([E, E * 2]) as [Tensor, Tensor];
    const [biasQ, biasKV] = (bias?.splitWithSizes([E, E * 2]) ?? [null, null]) as [Tensor | null, Tensor | null];
    const q = linear(query, weightQ, biasQ);
    const [k, v] = unpack(linear(key, weightKV, biasKV), 2, E) as [Tensor, Tensor];
    return [q, k, v];
  }
  const [weightQ, weightK, weightV] = weight.chunk(3) as Triple;
  return projectEach(query, key, value, [weightQ, weightK, weightV], bias);
}

function projectEach(query: Tensor, key: Tensor, value: Tensor, weights: Triple, bias: Tensor | null): Triple {
  const [q, k, v] = (bias?.chunk(3) ?? [null, null, null]) as (Tensor | null)[];
  return [linear(query, weights[0], q!), linear(key, weights[1], k!), linear(value, weights[2], v!)];
}

function project(query: Tensor, key: Tensor, value: Tensor, weights: AttentionWeights): Triple {
  const { inProjWeight = null, inProjBias = null, qProjWeight, kProjWeight, vProjWeight } = weights;
  if (inProjWeight !== null) {
    check(
      equal(key.shape, value.shape),
      `key and value must have one shape, got ${sizes(key.shape)} and ${sizes(value.shape)}`,
    );
    return projectPacked(query, key, value, inProjWeight, inProjBias);
  }
  check(
    qProjWeight != null && kProjWeight != null && vProjWeight != null,
    'inProjWeight, or qProjWeight, kProjWeight and vProjWeight must be given',
  );
  check(
    equal(key.shape.slice(0, 2), value.shape.slice(0, 2)),
    `key and value must have one length and batch, got ${sizes(key.shape)} and ${sizes(value.shape)}`,
  );
  return projectEach(query, key, value, [qProjWeight!, kProjWeight!, vProjWeight!], inProjBias);
}

const padLast = (mask: Tensor | null): Tensor | null => (mask === null ? null : constantPadNd(mask, [0, 1]));

interface Masks {
  attn: Tensor | null;
  padding: Tensor | null;
}

// Keys and values with the learnt bias and the row of zeros, batch first; the masks grow with them.
function extend([q, k, v]: Triple, masks: Masks, weights: AttentionWeights, batch: number, numHeads: number): Triple {
  const { biasK = null, biasV = null, addZeroAttn = false, staticK = null, staticV = null } = weights;
  check((biasK === null) === (biasV === null), 'biasK and biasV must be given together');
  check(biasK === null || (staticK === null && staticV === null), 'staticK and staticV take no biasK and biasV');
  const headDim = Math.trunc(q.size(-1) / numHeads);
  if (biasK !== null && biasV !== null) {
    [k, v] = [cat([k, biasK.repeat([1, batch, 1])]), cat([v, biasV.repeat([1, batch, 1])])];
    [masks.attn, masks.padding] = [padLast(masks.attn), padLast(masks.padding)];
  }
  const heads = (x: Tensor): Tensor => view(x, [x.size(0), batch * numHeads, headDim]).transpose(0, 1);
  const given = (fixed: Tensor | null, name: string, own: Tensor): Tensor => {
    if (fixed === null) return heads(own);
    const [rows, , features] = fixed.shape;
    check(
      rows === batch * numHeads && features === headDim,
      `${name} must have shape [${batch * numHeads}, length, ${headDim}], got ${sizes(fixed.shape)}`,
    );
    return fixed;
  };
  [q, k, v] = [heads(q), given(staticK, 'staticK', k), given(staticV, 'staticV', v)];
  if (addZeroAttn) {
    const row = zeros([batch * numHeads, 1, headDim], { dtype: k.dtype, device: k.device });
    [k, v] = [cat([k, row], 1), cat([v, row], 1)];
    [masks.attn, masks.padding] = [padLast(masks.attn), padLast(masks.padding)];
  }
  return [q, k, v];
}

function batchMask(mask: Tensor, batchHeads: number, target: number, source: number): Tensor {
  const expected = mask.dim() === 2 ? [target, source] : [batchHeads, target, source];
  check(equal(mask.shape, expected), `attnMask must have shape ${sizes(expected)}, got ${sizes(mask.shape)}`);
  return mask.dim() === 2 ? mask.unsqueeze(0) : mask;
}

function mergeMasks({ attn, padding }: Masks, batch: number, numHeads: number, source: number): Tensor | null {
  if (padding === null) return attn;
  check(
    equal(padding.shape, [batch, source]),
    `keyPaddingMask must have shape [${batch}, ${source}], got ${sizes(padding.shape)}`,
  );
  const expanded = view(padding, [batch, 1, 1, source]).expand([-1, numHeads, -1, -1]);
  const merged = reshape(expanded, [batch * numHeads, 1, source]);
  return attn === null ? merged : attn.add(merged);
}

interface Dimensions {
  target: number;
  source: number;
  batch: number;
  embedDim: number;
  numHeads: number;
}

function attendWithWeights(
  [q, k, v]: Triple,
  mask: Tensor | null,
  dropoutP: number,
  { target, source, batch, embedDim, numHeads }: Dimensions,
): [output: Tensor, weights: Tensor] {
  const scaled = q.mul(Math.sqrt(1 / q.size(-1)));
  const transposed = k.transpose(-2, -1);
  const scores = mask === null ? scaled.bmm(transposed) : mask.baddbmm(scaled, transposed);
  let weights = scores.softmax(-1);
  if (dropoutP > 0) weights = dropout(weights, dropoutP, true, false);
  const output = reshape(weights.bmm(v).transpose(0, 1), [target * batch, embedDim]);
  return [output, view(weights, [batch, numHeads, target, source])];
}

function attendFused(
  qkv: Triple,
  mask: Tensor | null,
  dropoutP: number,
  isCausal: boolean,
  { target, source, batch, embedDim, numHeads }: Dimensions,
): Tensor {
  const headDim = Math.trunc(embedDim / numHeads);
  if (mask !== null) {
    const isShared = mask.dim() === 3 && mask.size(0) === 1;
    mask = isShared ? mask.unsqueeze(0) : view(mask, [batch, numHeads, -1, source]);
  }
  const q = view(qkv[0], [batch, numHeads, target, headDim]);
  const k = view(qkv[1], [batch, numHeads, source, headDim]);
  const v = view(qkv[2], [batch, numHeads, source, headDim]);
  const output = scaledDotProductAttention(q, k, v, mask, dropoutP, isCausal, null, false);
  return reshape(permute(output, [2, 0, 1, 3]), [batch * target, embedDim]);
}

const forwardTakes = signature<AttentionForwardOptions>(
  { query: tensorKind, key: tensorKind, value: tensorKind, numHeads: anything, weights: anything },
  { dropoutP: number, training: boolean, ...attentionOptions },
);

/**
 * Multi-head attention as `torch.nn.functional.multi_head_attention_forward`, operator by operator: query, key and value
 * are [length, batch, features], or without the batch. Gives the output and, when they are asked for, the weights.
 *
 * @throws AiforgeError INVALID_ARGUMENT for shapes, masks and options that do not go together.
 * @example
 * import { nn, randn } from 'aiforge';
 * const x = randn([5, 3, 8]);
 * const weights = { inProjWeight: randn([24, 8]), outProjWeight: randn([8, 8]) };
 * const [output] = nn.functional.multiHeadAttentionForward(x, x, x, 2, weights);
 * output.shape; // [5, 3, 8]
 */
export function multiHeadAttentionForward(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  numHeads: number,
  weights: AttentionWeights,
  options: AttentionForwardOptions = {},
): [output: Tensor, weights: Tensor | null] {
  forwardTakes.check('multiHeadAttentionForward', arguments);
  return attentionForward(query, key, value, numHeads, weights, options);
}

/** @internal The same of what a layer has checked. */
export function attentionForward(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  numHeads: number,
  weights: AttentionWeights,
  options: AttentionForwardOptions,
): [output: Tensor, weights: Tensor | null] {
  const { needWeights = true, averageAttnWeights = true, training = true, dropoutP = 0 } = options;
  let { keyPaddingMask = null, attnMask = null, isCausal = false } = options;
  const isBatched = checkShapes(query, key, value, keyPaddingMask, attnMask);
  if (!isBatched) {
    [query, key, value] = [query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)];
    keyPaddingMask = keyPaddingMask?.unsqueeze(0) ?? null;
  }
  const [target, batch, embedDim] = query.shape as [number, number, number];
  check(embedDim % numHeads === 0, `the ${embedDim} features of query must be divisible by numHeads, ${numHeads}`);
  check(!isCausal || attnMask !== null, 'isCausal is a hint about attnMask: give that too');

  keyPaddingMask = additiveMask(keyPaddingMask, 'keyPaddingMask', query);
  if (isCausal && keyPaddingMask === null && !needWeights) attnMask = null;
  else attnMask = additiveMask(attnMask, 'attnMask', query);
  if (keyPaddingMask !== null) isCausal = false;

  const projected = project(query, key, value, weights);
  const masks: Masks = { attn: attnMask, padding: keyPaddingMask };
  if (masks.attn !== null) masks.attn = batchMask(masks.attn, batch * numHeads, target, key.size(0));
  const qkv = extend(projected, masks, weights, batch, numHeads);
  const dimensions: Dimensions = { target, source: qkv[1].size(1), batch, embedDim, numHeads };
  const mask = mergeMasks(masks, batch, numHeads, dimensions.source);
  const p = training ? dropoutP : 0;

  let attended: Tensor;
  let attention: Tensor | null = null;
  if (needWeights) [attended, attention] = attendWithWeights(qkv, mask, p, dimensions);
  else attended = attendFused(qkv, mask, p, isCausal, dimensions);
  const projectedOut = linear(attended, weights.outProjWeight, weights.outProjBias ?? null);
  let output = view(projectedOut, [target, batch, projectedOut.size(1)]);
  if (attention !== null && averageAttnWeights) attention = attention.mean({ dim: 1 });
  if (!isBatched) {
    output = output.squeeze(1);
    attention = attention?.squeeze(0) ?? null;
  }
  return [output, attention];
}
