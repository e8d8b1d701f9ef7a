// Table of contents of `optim.swaUtils`.
export { SWALR, type SWALROptions } from './averagingLr.js';
