// Values come from other realms too: `vm` contexts, in which test runners run each file, and the windows of Electron. There
// `instanceof` of JavaScript's own classes says nothing; what counts is what a value is.
import { isNativeError } from 'node:util/types';

export {
  isAnyArrayBuffer,
  isDataView,
  isMap,
  isPromise,
  isSet,
  isSharedArrayBuffer,
  isUint8Array,
} from 'node:util/types';

/** Whether a value is an object literal of any realm; a Tensor, an array or a module is none. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return isReadably(value, () => {
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
  });
}

/** What a test says of a value, which a proxy that was revoked, or one whose traps throw, cannot be asked: it is nothing then. */
export function isReadably(value: unknown, test: (value: unknown) => boolean): boolean {
  try {
    return test(value);
  } catch {
    return false;
  }
}

/** Whether a value is an error of any realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}
