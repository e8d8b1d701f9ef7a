export { assertClose, type AssertCloseOptions } from './assertClose.js';
