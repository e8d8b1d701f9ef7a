export { autocast, type AutocastOptions } from './autocast.js';
export { GradScaler, type GradScalerOptions, type GradScalerStateDict, type Scalable } from './gradScaler.js';
