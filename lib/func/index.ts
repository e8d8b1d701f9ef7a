export { vmap, type MappedDims, type VmapOptions } from '../autograd/vmap.js';
export { functionalCall, type FunctionalCallOptions } from '../nn/functionalCall.js';
export { stackModuleState, type StackedState } from '../nn/stackModuleState.js';
export type { Argnums } from './arguments.js';
export { grad, gradAndValue, vjp, type GradientsFor, type GradTransformOptions } from './grad.js';
export { hessian, jacfwd, jacrev, type JacfwdOptions, type JacobianOptions, type JacrevOptions } from './jacobian.js';
export { jvp, type JvpOptions } from './jvp.js';
