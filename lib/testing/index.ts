export { assertClose, type AssertCloseOptions } from './assertClose.js';
export { assertEqual } from './assertEqual.js';
export { extendExpect, tensorSerializer, type Expect, type TensorMatchers } from './expect.js';
