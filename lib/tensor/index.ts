import './generated/install.js';

export * from './generated/functions.js';
export { fromTypedArray, tensor, type TensorOptions, type TypedArrayOptions } from './creation.js';
export type { Complex, Device, DType, Layout, MemoryFormat, Scalar, TypedArray } from './dtype.js';
export { Generator, getRngState, initialSeed, manualSeed, seed, setRngState } from './generator.js';
export { loadSafetensors, saveSafetensors, type SafetensorsFile } from './safetensors.js';
export { ops, type AtenOperator } from './operators.js';
export * as memory from './memory.js';
export type { Leak, LeakOptions, LeakReport, MemoryStats, MemoryUse, ScopeUse } from './memory.js';
export { keep, Scope, scope, tensorsOf, type ScopeOptions } from './scope.js';
export { fromShared, isSharedTensor, releaseShared, share, transfer, type SharedTensor } from './sharing.js';
export { Tensor, type BackwardOptions, type NestedArray } from './tensor.js';
export {
  cudaDeviceCount,
  getNumInteropThreads,
  getNumThreads,
  setNumInteropThreads,
  setNumThreads,
} from './threads.js';
