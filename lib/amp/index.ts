export { autocast, type AutocastOptions } from './autocast.js';
