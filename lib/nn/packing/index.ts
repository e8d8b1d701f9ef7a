export { invertPermutation, PackedSequence, type PackedOrder, type PackedTarget } from './packedSequence.js';
export {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
  type BatchFirstOptions,
  type PackPaddedSequenceOptions,
  type PackSequenceOptions,
  type PadPackedSequenceOptions,
  type PadSequenceOptions,
} from './packing.js';
