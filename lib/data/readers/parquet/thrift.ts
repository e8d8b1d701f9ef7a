/** A value of Thrift's compact protocol; a struct has its fields by their numbers. */
export type ThriftValue = boolean | number | Uint8Array | ThriftValue[] | ThriftStruct;
export interface ThriftStruct {
  [field: number]: ThriftValue | undefined;
}

const mostDepth = 32;

/** Reads Thrift's compact protocol, in which Parquet's headers are. Throws a RangeError beyond the bytes. */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  /** The next byte. */
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  struct(depth = 0): ThriftStruct {
    if (depth > mostDepth) throw new RangeError('its header is nested too deeply');
    const fields: ThriftStruct = {};
    let last = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) return fields;
      last = head >> 4 === 0 ? this.#whole() : last + (head >> 4);
      fields[last] = this.#value(head & 15, depth);
    }
  }

  #value(type: number, depth: number): ThriftValue {
    if (type === 1 || type === 2) return type === 1;
    if (type === 3) return this.#byte();
    if (type >= 4 && type <= 6) return this.#whole();
    if (type === 7) return new DataView(this.#take(8).slice().buffer).getFloat64(0, true);
    if (type === 8) return this.#take(this.#unsigned());
    if (type === 9 || type === 10) return this.#list(depth);
    if (type === 12) return this.struct(depth + 1);
    throw new RangeError(`its header has a value of the unknown type ${type}`);
  }

  #list(depth: number): ThriftValue[] {
    if (depth > mostDepth) throw new RangeError('its header is nested too deeply');
    const head = this.#byte();
    const length = head >> 4 === 15 ? this.#unsigned() : head >> 4;
    const items: ThriftValue[] = [];
    // A boolean in a list is a byte of its own.
    for (let i = 0; i < length; ++i)
      items.push((head & 15) <= 2 ? this.#byte() === 1 : this.#value(head & 15, depth + 1));
    return items;
  }

  #byte(): number {
    if (this.at >= this.#bytes.length) throw new RangeError('its header is truncated');
    return this.#bytes[this.at++]!;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw new RangeError('its header is truncated');
    return this.#bytes.subarray(this.at, (this.at += length));
  }

  #unsigned(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
      if (scale > 2 ** 63) throw new RangeError('its header has a number of more than 64 bits');
    }
  }

  /** With its sign in the lowest bit. */
  #whole(): number {
    const value = this.#unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
