export * from './tensor/index.js';
export * from './autograd/index.js';
export { AiforgeError, errorCodes, TensorDisposedError, type ErrorCode } from './errors.js';
