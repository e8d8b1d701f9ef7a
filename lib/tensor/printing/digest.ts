import { createHash } from 'node:crypto';

import type { Handle } from '../../native.js';
import { bytesOf, type DType } from '../dtype.js';
import { byteChunks } from '../files/byteChunks.js';

type Words = Uint8Array | Uint16Array | Uint32Array;

interface FloatBits {
  readonly words: {
    new (buffer: ArrayBufferLike, at: number, length: number): Words;
    readonly BYTES_PER_ELEMENT: number;
  };
  /** All bits but the sign. */
  readonly magnitude: number;
  /** Of the largest number, or of infinity; what is above is NaN. */
  readonly largest: number;
}

const half: FloatBits = { words: Uint16Array, magnitude: 0x7fff, largest: 0x7c00 };
const single: FloatBits = { words: Uint32Array, magnitude: 0x7fffffff, largest: 0x7f800000 };

// The dtypes that have several NaN, but for those of 64 bits.
const floats: Partial<Record<DType, FloatBits>> = {
  float32: single,
  complex64: single,
  float16: half,
  complex32: half,
  bfloat16: { words: Uint16Array, magnitude: 0x7fff, largest: 0x7f80 },
  float8_e4m3fn: { words: Uint8Array, magnitude: 0x7f, largest: 0x7e },
  float8_e5m2: { words: Uint8Array, magnitude: 0x7f, largest: 0x7c },
};

// Of two elements in a byte, and of integers whose scale stands elsewhere, the bytes do not say which numbers they are.
const unreadable = /^(float4|qu?int)/;

/** A digest of a tensor's elements: the same for equal ones, where NaN is NaN whatever its bits, and -0 is not 0. */
export function digest(handle: Handle, dtype: DType, count: number): string {
  if (unreadable.test(dtype)) throw new TypeError(`${dtype} has no digest`);
  const hash = createHash('sha256');
  for (const chunk of byteChunks(handle, count * bytesOf(dtype))) {
    uniteNaN(chunk, dtype);
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** Gives each NaN the same bits. */
function uniteNaN({ buffer, byteOffset, byteLength }: Uint8Array, dtype: DType): void {
  if (dtype === 'float64' || dtype === 'complex128') {
    uniteDoubles(new Float64Array(buffer, byteOffset, byteLength / 8));
    return;
  }
  const bits = floats[dtype];
  if (bits === undefined) return;
  const { words: Words, magnitude, largest } = bits;
  const words = new Words(buffer, byteOffset, byteLength / Words.BYTES_PER_ELEMENT);
  for (let i = 0; i < words.length; ++i) if ((words[i]! & magnitude) > largest) words[i] = magnitude;
}

function uniteDoubles(numbers: Float64Array): void {
  for (let i = 0; i < numbers.length; ++i) if (Number.isNaN(numbers[i])) numbers[i] = NaN;
}
