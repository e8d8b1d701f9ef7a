export type { TensorOrTensors } from './functional/inputs.js';
export {
  hessian,
  jacobian,
  type HessianOptions,
  type JacobianOf,
  type JacobianOptions,
} from './functional/jacobian.js';
export { hvp, jvp, vhp, vjp, type FunctionOf, type Like, type ProductOptions } from './functional/products.js';
