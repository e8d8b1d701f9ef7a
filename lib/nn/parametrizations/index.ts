export { orthogonal, type OrthogonalMap, type OrthogonalOptions } from './orthogonal.js';
export { type SpectralNormOptions } from './powerIteration.js';
export { spectralNorm } from './spectralNorm.js';
export { weightNorm, type WeightNormOptions } from './weightNorm.js';
