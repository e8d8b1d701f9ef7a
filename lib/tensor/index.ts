import './generated/install.js';
import './indexing.js';
import './members.js';
import './autograd/autogradMethods.js';

export * from './generated/functions.js';
export {
  asTensor,
  atleast1d,
  atleast2d,
  atleast3d,
  blockDiag,
  broadcastShapes,
  broadcastTensors,
  cartesianProd,
  cdist,
  chainMatmul,
  einsum,
  finfo,
  iinfo,
  isTensor,
  lu,
  meshgrid,
  nonzero,
  norm,
  numel,
  pcaLowrank,
  sparseBscTensor,
  sparseBsrTensor,
  sparseCompressedTensor,
  sparseCooTensor,
  sparseCscTensor,
  sparseCsrTensor,
  svdLowrank,
  tensordot,
  unique,
  uniqueConsecutive,
  unravelIndex,
  type CdistOptions,
  type FloatInfo,
  type IntegerInfo,
  type LuOptions,
  type NonzeroOptions,
  type NormOptions,
  type PcaLowrankOptions,
  type SparseCompressedOptions,
  type SparseCooOptions,
  type SparseTensorOptions,
  type SvdLowrankOptions,
  type TensordotOptions,
  type UniqueOptions,
  type UniqueResult,
} from './composites/index.js';
export * as fft from './generated/fft.js';
export * as linalg from './generated/linalg.js';
export * as special from './generated/special.js';
export { fromArrow, type ArrowColumn, type ArrowOptions } from './conversion/arrow.js';
export { tensor, type TensorOptions } from './creation.js';
export * as sparse from './sparse.js';
export type { Complex, Device, DType, Float16Elements, Layout, MemoryFormat, Scalar, TypedArray } from './dtype.js';
export { Generator, getRngState, initialSeed, manualSeed, seed, setRngState } from './generator.js';
export type { Index, IndexArray } from './indexing.js';
export { getPrintOptions, setPrintOptions, type PrintOptions } from './printing/printOptions.js';
export { loadSafetensors, saveSafetensors, type SafetensorsFile } from './files/safetensors.js';
export { ops, type AtenOperator } from './calls/operators.js';
export { slice, type Slice, type SliceBound } from './slice.js';
export * as memory from './memory/index.js';
export type { Leak, LeakOptions, LeakReport, MemoryStats, MemoryUse, ScopeUse } from './memory/index.js';
export { keep, Scope, scope, tensorsOf, type ScopeOptions } from './memory/scope.js';
export { fromShared, isSharedTensor, releaseShared, share, transfer, type SharedTensor } from './memory/sharing.js';
export type { BackwardOptions } from './autograd/backward.js';
export type { GradHook, HookHandle } from './autograd/hooks.js';
export { Tensor, type NestedArray, type TensorData } from './tensor.js';
export {
  fromBuffer,
  fromTypedArray,
  type BufferOptions,
  type MemoryOptions,
  type TypedArrayOptions,
} from './conversion/typedArrays.js';
export {
  areDeterministicAlgorithmsEnabled,
  isDeterministicAlgorithmsWarnOnlyEnabled,
  useDeterministicAlgorithms,
  type DeterminismOptions,
} from './context/determinism.js';
export { getNumInteropThreads, getNumThreads, setNumInteropThreads, setNumThreads } from './context/threads.js';
