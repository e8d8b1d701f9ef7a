import { Buffer } from 'node:buffer';

const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** A protobuf message as it is written, field by field; of its kinds of fields those that event files have. */
export class Message {
  readonly #parts: Uint8Array[] = [];

  /** A whole number from 0 to the largest safe one. */
  varint(field: number, value: number): this {
    return this.#add(field, 'varint', varint(value));
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.#add(field, 'fixed64', bytes);
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.#add(field, 'fixed32', bytes);
  }

  bytes(field: number, value: Uint8Array | string): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return this.#add(field, 'bytes', varint(bytes.length), bytes);
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.encode());
  }

  /** Doubles of one repeated field. */
  doubles(field: number, values: readonly number[]): this {
    const bytes = Buffer.alloc(8 * values.length);
    values.forEach((value, i) => bytes.writeDoubleLE(value, 8 * i));
    return this.bytes(field, bytes);
  }

  encode(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #add(field: number, type: keyof typeof wireTypes, ...parts: Uint8Array[]): this {
    this.#parts.push(varint(field * 8 + wireTypes[type]), ...parts);
    return this;
  }
}

/** Seven bits a byte, the lowest first; wider than JavaScript's bit operators, which take 32. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
