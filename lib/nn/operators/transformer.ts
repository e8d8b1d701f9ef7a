import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';

const { call } = native;

const encoderLayerId = native.registerOperators(['_transformer_encoder_layer_fwd']);

/** What the fused encoder layer takes beside tensors. */
export interface EncoderLayerSettings {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly useGelu: boolean;
  readonly normFirst: boolean;
  readonly eps: number;
}

/**
 * A whole encoder layer in one operator, which records no gradients. `weights`: those of the attention's projections, then
 * of the norms, then of the feed-forward net, each weight followed by its bias.
 */
export function transformerEncoderLayer(
  src: Tensor,
  weights: readonly Tensor[],
  mask: Tensor | null,
  maskType: number | null,
  { embedDim, numHeads, useGelu, normFirst, eps }: EncoderLayerSettings,
): Tensor {
  const x = handleOf(src);
  const given = weights.map(handleOf);
  const attention = given.slice(0, 4);
  const rest = given.slice(4);
  const maskHandle = mask === null ? null : handleOf(mask);
  enterContext();
  const settings = [useGelu, normFirst, eps];
  return wrapHandle(
    call(encoderLayerId, x, embedDim, numHeads, ...attention, ...settings, ...rest, maskHandle, maskType) as Handle,
  );
}

const leftAlignedId = native.registerOperators(['_nested_tensor_from_mask_left_aligned', '_nested_tensor_from_mask']);
const nestedId = leftAlignedId + 1;

/** Whether the elements that `mask` keeps are the first ones of each row. */
export function isLeftAligned(input: Tensor, mask: Tensor): boolean {
  const [x, kept] = [handleOf(input), handleOf(mask)];
  enterContext();
  return call(leftAlignedId, x, kept) as boolean;
}

/** The elements that a left-aligned `mask` keeps of each row, as a nested tensor. */
export function nestedFromMask(input: Tensor, mask: Tensor): Tensor {
  const [x, kept] = [handleOf(input), handleOf(mask)];
  enterContext();
  return wrapHandle(call(nestedId, x, kept, false) as Handle);
}
