export { vmap, type MappedDims, type VmapOptions } from '../autograd/vmap.js';
export { functionalCall, type FunctionalCallOptions } from '../nn/functionalCall.js';
export { stackModuleState, type StackedState } from '../nn/stackModuleState.js';
export type { GradTransformOptions } from '../autograd/gradTransform.js';
export type { JvpOptions } from '../autograd/jvpTransform.js';
export type { Argnums } from '../autograd/transformArguments.js';
export { grad, gradAndValue, vjp, type GradientsFor } from './grad.js';
export { hessian, jacfwd, jacrev, type JacfwdOptions, type JacobianOptions, type JacrevOptions } from './jacobian.js';
export { jvp } from './jvp.js';
