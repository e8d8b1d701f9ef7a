export type { TensorOrTensors } from './functionalInputs.js';
export { hessian, jacobian, type HessianOptions, type JacobianOf, type JacobianOptions } from './jacobian.js';
export { hvp, jvp, vhp, vjp, type FunctionOf, type Like, type ProductOptions } from './products.js';
