import { endianness } from 'node:os';

const machine = endianness() === 'LE' ? 'little' : 'big';

/** Puts numbers of so many bytes each, which stand in the given order, into the machine's, in place. */
export function toMachineOrder(bytes: Buffer, size: number, order: 'little' | 'big'): Buffer {
  if (order === machine || size === 1) return bytes;
  if (size === 2) return bytes.swap16();
  return size === 4 ? bytes.swap32() : bytes.swap64();
}
