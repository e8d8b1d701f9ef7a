export {
  autocast,
  clearAutocastCache,
  getAutocastDtype,
  isAutocastAvailable,
  isAutocastCacheEnabled,
  isAutocastEnabled,
  type AutocastOptions,
} from './autocast.js';
export { customBwd, customFwd, type CustomBackwardOptions, type CustomForwardOptions } from './customFunction.js';
export { GradScaler, type GradScalerOptions, type Scalable } from './gradScaler.js';
export { type GradScalerStateDict } from './gradScalerState.js';
