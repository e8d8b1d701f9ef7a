export * from './index.js';
export * as forwardAd from './forwardMode.js';
export * as functional from './functional.js';
