// A table of contents: what `torch.nn.init` has, by family.

export {
  normal_,
  uniform_,
  type GeneratorOptions,
  type NormalOptions,
  type UniformOptions,
} from './init/distributions.js';
export * from './init/deprecated.js';
export { constant_, dirac_, eye_, ones_, zeros_ } from './init/fills.js';
export { calculateGain, type FanMode, type Nonlinearity } from './init/gain.js';
export { orthogonal_, sparse_, type SparseOptions } from './init/matrices.js';
export { truncNormal_, type TruncNormalOptions } from './init/truncated.js';
export {
  kaimingNormal_,
  kaimingUniform_,
  xavierNormal_,
  xavierUniform_,
  type GainOptions,
  type KaimingOptions,
} from './init/variance.js';
