export { vmap, type MappedDims, type VmapOptions } from '../autograd/transforms/vmap.js';
export { functionalCall, type FunctionalCallOptions } from '../nn/state/functionalCall.js';
export { stackModuleState, type StackedState } from '../nn/state/stackModuleState.js';
export type { GradTransformOptions } from '../autograd/transforms/gradTransform.js';
export type { JvpOptions } from '../autograd/transforms/jvpTransform.js';
export type { Argnums } from '../autograd/transforms/transformArguments.js';
export { grad, gradAndValue, vjp, type GradientsFor } from './grad.js';
export { hessian, jacfwd, jacrev, type JacfwdOptions, type JacobianOptions, type JacrevOptions } from './jacobian.js';
export { jvp } from './jvp.js';
