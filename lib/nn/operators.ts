import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { native, type Handle } from '../native.js';
import { enterContext } from '../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../tensor/tensor.js';
import { operator, orNull } from './operators/call.js';

const { call } = native;

// The operators that layers call most, without the matching of overloads and options that the public functions do.

export * from './operators/activations.js';
export * from './operators/dropout.js';
export * from './operators/normalization.js';

const linearId = operator('linear');
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  enterContext();
  return wrapHandle(call(linearId, handleOf(input), handleOf(weight), orNull(bias)) as Handle);
}

const embeddingId = operator('embedding');
export function embedding(
  weight: Tensor,
  indices: Tensor,
  paddingIdx: number,
  scaleByFreq: boolean,
  sparse: boolean,
): Tensor {
  enterContext();
  return wrapHandle(call(embeddingId, handleOf(weight), handleOf(indices), paddingIdx, scaleByFreq, sparse) as Handle);
}

const embeddingRenormId = operator('embedding_renorm_');
/** Shortens in place the rows that `indices` names to `maxNorm`; to be called without recording gradients. */
export function embeddingRenorm_(weight: Tensor, indices: Tensor, maxNorm: number, normType: number): void {
  enterContext();
  call(embeddingRenormId, handleOf(weight), handleOf(indices), maxNorm, normType);
}

const layerNormId = operator('layer_norm');
export function layerNorm(
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  enterContext();
  return wrapHandle(call(layerNormId, handleOf(input), shape, orNull(weight), orNull(bias), eps, true) as Handle);
}

const reluId = operator('relu');
export function relu(input: Tensor): Tensor {
  enterContext();
  return wrapHandle(call(reluId, handleOf(input)) as Handle);
}

const geluId = operator('gelu');
export function gelu(input: Tensor, approximate: 'none' | 'tanh'): Tensor {
  enterContext();
  return wrapHandle(call(geluId, handleOf(input), approximate) as Handle);
}

const viewId = operator('view');
export function view(input: Tensor, shape: readonly number[]): Tensor {
  enterContext();
  return wrapHandle(call(viewId, handleOf(input), shape) as Handle);
}

const reshapeId = operator('reshape');
export function reshape(input: Tensor, shape: readonly number[]): Tensor {
  enterContext();
  return wrapHandle(call(reshapeId, handleOf(input), shape) as Handle);
}

const permuteId = operator('permute');
export function permute(input: Tensor, dims: readonly number[]): Tensor {
  enterContext();
  return wrapHandle(call(permuteId, handleOf(input), dims) as Handle);
}

const flattenId = operator('flatten.using_ints');
export function flatten(input: Tensor, startDim: number, endDim: number): Tensor {
  enterContext();
  return wrapHandle(call(flattenId, handleOf(input), startDim, endDim) as Handle);
}

const unflattenId = operator('unflatten.int');
export function unflatten(input: Tensor, dim: number, sizes: readonly number[]): Tensor {
  enterContext();
  return wrapHandle(call(unflattenId, handleOf(input), dim, sizes) as Handle);
}

const unbindId = operator('unbind.int');
/** The slices along the first dimension. */
export function unbind(input: Tensor): Tensor[] {
  enterContext();
  return (call(unbindId, handleOf(input), 0) as Handle[]).map((handle) => wrapHandle(handle));
}

const attentionId = operator('scaled_dot_product_attention');
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  mask: Tensor | null,
  dropoutP: number,
  isCausal: boolean,
  scale: number | null,
  enableGqa: boolean,
): Tensor {
  const tensors = [handleOf(query), handleOf(key), handleOf(value), orNull(mask)];
  enterContext();
  return wrapHandle(call(attentionId, ...tensors, dropoutP, isCausal, scale, enableGqa) as Handle);
}

const nativeAttentionId = operator('_native_multi_head_attention');
/** The whole of self-attention in one operator, which records no gradients. */
export function nativeMultiHeadAttention(
  input: Tensor,
  embedDim: number,
  numHeads: number,
  weights: readonly [inWeight: Tensor, inBias: Tensor, outWeight: Tensor, outBias: Tensor],
  mask: Tensor | null,
  maskType: number | null,
  needWeights: boolean,
  averageWeights: boolean,
): [output: Tensor, weights: Tensor | null] {
  const x = handleOf(input);
  const given = weights.map(handleOf);
  enterContext();
  const [output, attention] = call(
    nativeAttentionId,
    x,
    x,
    x,
    embedDim,
    numHeads,
    ...given,
    orNull(mask),
    needWeights,
    averageWeights,
    maskType,
  ) as [Handle, Handle | null];
  return [wrapHandle(output), attention === null ? null : wrapHandle(attention)];
}

/** How a loss of many elements becomes its result. */
export type Reduction = 'none' | 'mean' | 'sum';

const reductions: readonly string[] = ['none', 'mean', 'sum'];

/** LibTorch's number of a reduction. */
export function reductionNumber(reduction: Reduction): number {
  const number = reductions.indexOf(reduction);
  if (number >= 0) return number;
  throw new AiforgeError('INVALID_ARGUMENT', `reduction: expected 'none', 'mean' or 'sum', got ${show(reduction)}.`);
}

const crossEntropyId = operator('cross_entropy_loss');
export function crossEntropyLoss(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: number,
  ignoreIndex: number,
  labelSmoothing: number,
): Tensor {
  const tensors = [handleOf(input), handleOf(target), orNull(weight)];
  enterContext();
  return wrapHandle(call(crossEntropyId, ...tensors, reduction, ignoreIndex, labelSmoothing) as Handle);
}

const nllLossId = operator('nll_loss_nd');
export function nllLoss(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: number,
  ignoreIndex: number,
): Tensor {
  enterContext();
  return wrapHandle(
    call(nllLossId, handleOf(input), handleOf(target), orNull(weight), reduction, ignoreIndex) as Handle,
  );
}

const bceWithLogitsId = operator('binary_cross_entropy_with_logits');
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  posWeight: Tensor | null,
  reduction: number,
): Tensor {
  const tensors = [handleOf(input), handleOf(target), orNull(weight), orNull(posWeight)];
  enterContext();
  return wrapHandle(call(bceWithLogitsId, ...tensors, reduction) as Handle);
}

const mseLossId = operator('mse_loss');
export function mseLoss(input: Tensor, target: Tensor, reduction: number): Tensor {
  enterContext();
  return wrapHandle(call(mseLossId, handleOf(input), handleOf(target), reduction) as Handle);
}

const l1LossId = operator('l1_loss');
export function l1Loss(input: Tensor, target: Tensor, reduction: number): Tensor {
  enterContext();
  return wrapHandle(call(l1LossId, handleOf(input), handleOf(target), reduction) as Handle);
}
