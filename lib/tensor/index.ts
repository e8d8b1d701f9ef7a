import './generated/install.js';
import './autogradMethods.js';

export * from './generated/functions.js';
export { fromTypedArray, tensor, type TensorOptions, type TypedArrayOptions } from './creation.js';
export type { Complex, Device, DType, Layout, MemoryFormat, Scalar, TypedArray } from './dtype.js';
export { Generator, getRngState, initialSeed, manualSeed, seed, setRngState } from './generator.js';
export { loadSafetensors, saveSafetensors, type SafetensorsFile } from './safetensors.js';
export { ops, type AtenOperator } from './operators.js';
export { keep, memoryStats, scope, tensorsOf } from './scope.js';
export type { BackwardOptions } from './backward.js';
export type { GradHook, HookHandle } from './hooks.js';
export { Tensor, type NestedArray } from './tensor.js';
export {
  cudaDeviceCount,
  getNumInteropThreads,
  getNumThreads,
  setNumInteropThreads,
  setNumThreads,
} from './threads.js';
