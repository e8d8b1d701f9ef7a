export {
  cdist,
  lu,
  tensordot,
  unravelIndex,
  type CdistOptions,
  type LuOptions,
  type TensordotOptions,
} from './products.js';
export {
  norm,
  unique,
  uniqueConsecutive,
  type NormOptions,
  type UniqueOptions,
  type UniqueResult,
} from './reductions.js';
export {
  atleast1d,
  atleast2d,
  atleast3d,
  blockDiag,
  broadcastShapes,
  broadcastTensors,
  cartesianProd,
  chainMatmul,
  einsum,
  meshgrid,
} from './variadic.js';
export { asTensor } from './asTensor.js';
export { finfo, iinfo, isTensor, numel, type FloatInfo, type IntegerInfo } from './dtypes.js';
export { pcaLowrank, svdLowrank, type PcaLowrankOptions, type SvdLowrankOptions } from './lowRank.js';
export { nonzero, type NonzeroOptions } from './nonzero.js';
export {
  sparseBscTensor,
  sparseBsrTensor,
  sparseCompressedTensor,
  sparseCooTensor,
  sparseCscTensor,
  sparseCsrTensor,
  type SparseCompressedOptions,
  type SparseCooOptions,
  type SparseTensorOptions,
} from './sparseTensors.js';
