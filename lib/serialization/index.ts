export { load, type LoadOptions } from './load.js';
export { save } from './save.js';
