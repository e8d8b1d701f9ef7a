import './generated/install.js';
import './indexing.js';

export * from './generated/functions.js';
export { tensor, type TensorOptions } from './creation.js';
export type { Complex, Device, DType, Layout, MemoryFormat, Scalar, TypedArray } from './dtype.js';
export { Generator, getRngState, initialSeed, manualSeed, seed, setRngState } from './generator.js';
export type { Index, IndexArray } from './indexing.js';
export { getPrintOptions, setPrintOptions, type PrintOptions } from './printOptions.js';
export { loadSafetensors, saveSafetensors, type SafetensorsFile } from './safetensors.js';
export { ops, type AtenOperator } from './operators.js';
export { slice, type Slice, type SliceBound } from './slice.js';
export { keep, memoryStats, scope, tensorsOf } from './scope.js';
export { Tensor, type BackwardOptions, type NestedArray, type TensorData } from './tensor.js';
export {
  fromBuffer,
  fromTypedArray,
  type BufferOptions,
  type MemoryOptions,
  type TypedArrayOptions,
} from './typedArrays.js';
export {
  cudaDeviceCount,
  getNumInteropThreads,
  getNumThreads,
  setNumInteropThreads,
  setNumThreads,
} from './threads.js';
