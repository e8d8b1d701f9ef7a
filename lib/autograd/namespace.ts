export * from './index.js';
export { AutogradFunction as Function } from './function.js';
