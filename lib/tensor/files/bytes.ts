import { Buffer } from 'node:buffer';
import { native } from '../../native.js';
import { enterContext } from '../context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../tensor.js';

// Small enough for a processor's cache, so that what is copied and checked is read from memory once; no buffer of the size of
// the tensor is needed, which JavaScript may not have.
const CHUNK = 1 << 20;

// To lend a tensor's memory costs more than to copy what is smaller.
const LENT = 1 << 16;

/** How many bytes the elements of a tensor have. */
export const sizeOf = (tensor: Tensor): number => tensor.numel() * tensor.elementSize();

/** The bytes of a tensor's elements in row-major order, in pieces; each is overwritten by the next. */
export function* chunksOf(tensor: Tensor): Generator<Uint8Array> {
  const total = sizeOf(tensor);
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, total));
  enterContext();
  const rows = wrapHandle(native.rowMajor(handleOf(tensor)));
  try {
    for (let at = 0; at < total; at += CHUNK) {
      const chunk = buffer.subarray(0, Math.min(CHUNK, total - at));
      native.readBytes(handleOf(rows), at, chunk);
      yield chunk;
    }
  } finally {
    rows.dispose();
  }
}

/** Fills the memory of a new tensor on the CPU, in pieces: `read` gives each those bytes that are at `at` of the whole. */
export function fillFrom(tensor: Tensor, read: (piece: Uint8Array, at: number) => void): void {
  const total = sizeOf(tensor);
  const handle = handleOf(tensor);
  if (total < LENT) {
    const bytes = Buffer.allocUnsafeSlow(total);
    if (total > 0) read(bytes, 0);
    native.writeBytes(handle, 0, bytes);
    return;
  }
  for (let at = 0; at < total; at += CHUNK) {
    native.lendBytes(handle, at, Math.min(CHUNK, total - at), (memory) => read(new Uint8Array(memory), at));
  }
}
