/** Parquet's runs: a value that repeats, or values packed bit by bit, each `width` bits wide. They are expanded as they are asked for. */
export class HybridRuns {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #width: number;
  readonly #mask: number;
  #at: number;
  /** Values left of the current run. */
  #left = 0;
  #isPacked = false;
  #value = 0;
  /** The next bit of packed values, from `#at`. */
  #bit = 0;

  /** @param bytes Within memory that goes on for 8 bytes after `end`. */
  constructor(bytes: Uint8Array, start: number, end: number, width: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset);
    [this.#at, this.#end] = [start, end];
    this.#width = width;
    this.#mask = width === 32 ? -1 : (1 << width) - 1;
  }

  /** The value of the next `count` if these are one run; undefined, and nothing is taken, where they are not. */
  repeated(count: number): number | undefined {
    if (this.#left === 0) this.#nextRun();
    if (this.#isPacked || this.#left < count) return undefined;
    this.#left -= count;
    return this.#value;
  }

  /** Puts the next `count` values into `out`. */
  read(out: Int32Array, count: number): void {
    for (let done = 0; done < count;) {
      if (this.#left === 0) this.#nextRun();
      const some = Math.min(count - done, this.#left);
      if (this.#isPacked) this.#unpack(out, done, some);
      else out.fill(this.#value, done, done + some);
      done += some;
      this.#left -= some;
    }
  }

  #nextRun(): void {
    if (this.#isPacked) this.#at += Math.ceil(this.#bit / 8);
    let [head, shift] = [0, 1];
    for (;;) {
      if (this.#at >= this.#end || shift > 2 ** 35) throw new RangeError('a page has fewer values than it says');
      const byte = this.#bytes[this.#at++]!;
      head += (byte & 127) * shift;
      if (byte < 128) break;
      shift *= 128;
    }
    this.#isPacked = head % 2 === 1;
    this.#left = Math.floor(head / 2) * (this.#isPacked ? 8 : 1);
    this.#bit = 0;
    if (this.#left === 0) throw new RangeError('a page has a run of no values');
    if (!this.#isPacked) this.#readRepeated();
  }

  #readRepeated(): void {
    const bytes = Math.ceil(this.#width / 8);
    if (this.#at + bytes > this.#end) throw new RangeError('a page has fewer values than it says');
    this.#value = 0;
    for (let i = 0; i < bytes; ++i) this.#value |= this.#bytes[this.#at++]! << (8 * i);
  }

  #unpack(out: Int32Array, start: number, count: number): void {
    const [view, width, mask, at] = [this.#view, this.#width, this.#mask, this.#at];
    let bit = this.#bit;
    if (at + Math.ceil((bit + count * width) / 8) > this.#end)
      throw new RangeError('a page has fewer values than it says');
    for (let i = start; i < start + count; ++i, bit += width) {
      const byte = at + Math.floor(bit / 8);
      const shift = bit & 7;
      let value = view.getUint32(byte, true) >>> shift;
      if (shift + width > 32) value |= view.getUint8(byte + 4) << (32 - shift);
      out[i] = value & mask;
    }
    this.#bit = bit;
  }
}
