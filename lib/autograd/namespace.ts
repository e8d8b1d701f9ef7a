export * from './index.js';
export { backward, backwardAsync } from './backward.js';
export { AutogradFunction as Function } from './function.js';
export * as forwardAd from './forwardMode.js';
export * as functional from './functional.js';
