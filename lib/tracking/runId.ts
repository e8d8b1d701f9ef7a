import { Buffer } from 'node:buffer';
import { AiforgeError } from '../errors.js';
import { show } from '../show.js';

const length = 16;

export const isRunId = (text: string): boolean => /^[0-9a-f]{32}$/.test(text);

/**
 * An MLflow run id (32 hexadecimal digits) as 16 bytes, to broadcast to the other ranks: it is a 128-bit number, too wide for
 * any integer tensor. No run (null) gives zeros. Throws `INVALID_ARGUMENT` for anything else.
 */
export function runIdToBytes(runId: string | null): Uint8Array {
  if (runId === null) return new Uint8Array(length);
  if (typeof runId !== 'string' || !isRunId(runId)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${show(runId)} is not an MLflow run id; expected 32 hexadecimal digits in lower case.`,
    );
  }
  return Uint8Array.from(Buffer.from(runId, 'hex'));
}

/** The run id that {@link runIdToBytes} made these bytes from. Throws `INVALID_ARGUMENT` unless there are 16. */
export function bytesToRunId(bytes: Uint8Array): string | null {
  if (bytes.length !== length) {
    throw new AiforgeError('INVALID_ARGUMENT', `A run id has ${length} bytes; got ${bytes.length}.`);
  }
  return bytes.every((byte) => byte === 0) ? null : Buffer.from(bytes).toString('hex');
}
