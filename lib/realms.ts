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
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
  } catch (error) {
    if (isRevoked(error)) return false;
    throw error;
  }
}

/** Whether a value is an error of any realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}

/** Whether an error says that a proxy was revoked, which nothing can be asked of; what a user's own traps throw is the user's. */
export function isRevoked(error: unknown): boolean {
  return isError(error) && error.message.endsWith('on a proxy that has been revoked');
}
