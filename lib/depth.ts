import { AiforgeError, type ErrorCode } from './errors.js';

// What people write is a few levels deep; the call stack holds some thousands.
const DEEPEST = 500;

/** Throws where a walk over nested arrays and objects has gone deeper than any that is meant, and before the stack ends. */
export function checkDepth(depth: number, what: string, code: ErrorCode = 'INVALID_ARGUMENT'): void {
  if (depth <= DEEPEST) return;
  throw new AiforgeError(code, `${what} is nested more than ${DEEPEST} deep, or holds itself; make it flatter.`);
}
