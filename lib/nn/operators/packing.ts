import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';

const { call } = native;
const packId = native.registerOperators(['_pack_padded_sequence', '_pad_packed_sequence']);
const padId = packId + 1;

/** The time steps of padded sequences, longest first, one after the other, and how many sequences each step has. */
export function packPaddedSequence(
  input: Tensor,
  lengths: Tensor,
  batchFirst: boolean,
): [data: Tensor, batchSizes: Tensor] {
  const [x, sizes] = [handleOf(input), handleOf(lengths)];
  enterContext();
  const [data, batchSizes] = call(packId, x, sizes, batchFirst) as [Handle, Handle];
  return [wrapHandle(data), wrapHandle(batchSizes)];
}

/** The reverse: sequences padded to `totalLength`, and their lengths. */
export function padPackedSequence(
  data: Tensor,
  batchSizes: Tensor,
  batchFirst: boolean,
  paddingValue: number,
  totalLength: number,
): [padded: Tensor, lengths: Tensor] {
  const [x, sizes] = [handleOf(data), handleOf(batchSizes)];
  enterContext();
  const [padded, lengths] = call(padId, x, sizes, batchFirst, paddingValue, totalLength) as [Handle, Handle];
  return [wrapHandle(padded), wrapHandle(lengths)];
}
