import { normal_, uniform_ } from './distributions.js';
import { constant_, dirac_, eye_ } from './fills.js';
import { orthogonal_, sparse_ } from './matrices.js';
import { kaimingNormal_, kaimingUniform_, xavierNormal_, xavierUniform_ } from './variance.js';
import { warnOnce } from '../../warnOnce.js';

// The names of before the underscore, which PyTorch keeps.

function deprecated<F extends (...args: never[]) => unknown>(initialise: F): F {
  const name = initialise.name;
  const old = (...args: never[]): unknown => {
    warnOnce(`nn.init.${name.slice(0, -1)} is deprecated; use nn.init.${name}.`);
    return initialise(...args);
  };
  return old as F;
}

/** @deprecated Use `uniform_`. */
export const uniform = deprecated(uniform_);
/** @deprecated Use `normal_`. */
export const normal = deprecated(normal_);
/** @deprecated Use `constant_`. */
export const constant = deprecated(constant_);
/** @deprecated Use `eye_`. */
export const eye = deprecated(eye_);
/** @deprecated Use `dirac_`. */
export const dirac = deprecated(dirac_);
/** @deprecated Use `xavierUniform_`. */
export const xavierUniform = deprecated(xavierUniform_);
/** @deprecated Use `xavierNormal_`. */
export const xavierNormal = deprecated(xavierNormal_);
/** @deprecated Use `kaimingUniform_`. */
export const kaimingUniform = deprecated(kaimingUniform_);
/** @deprecated Use `kaimingNormal_`. */
export const kaimingNormal = deprecated(kaimingNormal_);
/** @deprecated Use `orthogonal_`. */
export const orthogonal = deprecated(orthogonal_);
/** @deprecated Use `sparse_`. */
export const sparse = deprecated(sparse_);
