export { autocast, type AutocastOptions } from './autocast.js';
export { GradScaler, type GradScalerOptions, type Scalable } from './gradScaler.js';
export { type GradScalerStateDict } from './gradScalerState.js';
