export * from './index.js';
export { backward, backwardAsync } from './backward.js';
export * as forwardAd from './forwardMode.js';
export * as functional from './functional.js';
export { AutogradFunction as Function } from './function.js';
export {
  gradcheck,
  gradgradcheck,
  type CheckedInputs,
  type GradcheckOptions,
  type GradgradcheckOptions,
} from './gradcheck/gradcheck.js';
