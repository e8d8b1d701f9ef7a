export * from './index.js';
export * as forwardAd from './forwardMode.js';
