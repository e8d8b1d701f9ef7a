import './generated/install.js';
import './members.js';

export * from './generated/functions.js';
export {
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
  norm,
  numel,
  tensordot,
  unique,
  uniqueConsecutive,
  unravelIndex,
  type CdistOptions,
  type FloatInfo,
  type IntegerInfo,
  type LuOptions,
  type NormOptions,
  type TensordotOptions,
  type UniqueOptions,
  type UniqueResult,
} from './composites/index.js';
export * as fft from './generated/fft.js';
export * as linalg from './generated/linalg.js';
export * as special from './generated/special.js';
export { fromTypedArray, tensor, type TensorOptions, type TypedArrayOptions } from './creation.js';
export type { Complex, Device, DType, Layout, MemoryFormat, Scalar, TypedArray } from './dtype.js';
export { Generator, getRngState, initialSeed, manualSeed, seed, setRngState } from './generator.js';
export { loadSafetensors, saveSafetensors, type SafetensorsFile } from './safetensors.js';
export { ops, type AtenOperator } from './operators.js';
export { keep, memoryStats, scope, tensorsOf } from './scope.js';
export { Tensor, type BackwardOptions, type NestedArray } from './tensor.js';
export {
  cudaDeviceCount,
  getNumInteropThreads,
  getNumThreads,
  setNumInteropThreads,
  setNumThreads,
} from './threads.js';
