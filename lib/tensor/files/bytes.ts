import { Buffer } from 'node:buffer';
import { native } from '../../native.js';
import { handleOf, type Tensor } from '../tensor.js';
import { byteChunks, CHUNK } from './byteChunks.js';

// To lend a tensor's memory costs more than to copy what is smaller.
const LENT = 1 << 16;

/** How many bytes the elements of a tensor have. */
export const sizeOf = (tensor: Tensor): number => tensor.numel() * tensor.elementSize();

/** The bytes of a tensor's elements in row-major order, in pieces; each is overwritten by the next. */
export const chunksOf = (tensor: Tensor): Generator<Uint8Array> => byteChunks(handleOf(tensor), sizeOf(tensor));

/** Fills the memory of a new tensor on the CPU, in pieces: `read` gives each those bytes that are at `at` of the whole. */
export function fillFrom(tensor: Tensor, read: (piece: Uint8Array, at: number) => void): void {
  const total = sizeOf(tensor);
  const handle = handleOf(tensor);
  let isLent = total >= LENT;
  for (let at = 0; at < total; at += CHUNK) {
    const count = Math.min(CHUNK, total - at);
    isLent &&= native.lendBytes(handle, at, count, (memory) => read(new Uint8Array(memory), at));
    if (isLent) continue;
    const copy = Buffer.allocUnsafeSlow(count);
    read(copy, at);
    native.writeBytes(handle, at, copy);
  }
}
