export { assertClose, type AssertCloseOptions } from './assertClose.js';
export { assertEqual } from './assertEqual.js';
export { extendExpect, type Expect, type TensorMatchers } from './expect.js';
