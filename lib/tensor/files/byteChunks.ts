import { Buffer } from 'node:buffer';
import { native, type Handle } from '../../native.js';
import { enterContext } from '../context/context.js';

/**
 * Small enough for a processor's cache, so that what is copied and checked is read from memory once; no buffer of the size of the
 * tensor is needed, which JavaScript may not have.
 */
export const CHUNK = 1 << 20;

/** The `total` bytes of a tensor's elements in row-major order, in pieces that may be written to; each is overwritten by the next. */
export function* byteChunks(handle: Handle, total: number): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, total));
  enterContext();
  const rows = native.rowMajor(handle);
  try {
    for (let at = 0; at < total; at += CHUNK) {
      const chunk = buffer.subarray(0, Math.min(CHUNK, total - at));
      native.readBytes(rows, at, chunk);
      yield chunk;
    }
  } finally {
    native.dispose(rows);
  }
}
