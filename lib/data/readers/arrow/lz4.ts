const magic = 0x184d2204;
/** The most bytes that data may become. */
const mostBytes = 2 ** 31 - 1;

const damaged = (): RangeError => new RangeError('its LZ4 data are damaged');

/** Bytes that grow. */
class Output {
  bytes: Uint8Array;
  length = 0;

  constructor(room: number) {
    this.bytes = new Uint8Array(room);
  }

  requireRoom(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    if (needed > mostBytes) throw damaged();
    const larger = new Uint8Array(Math.min(mostBytes, Math.max(needed, 2 * this.bytes.length)));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  add(bytes: Uint8Array): void {
    this.requireRoom(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Adds bytes that are `back` bytes before; these may be what is added here. */
  repeat(back: number, count: number): void {
    if (back === 0 || back > this.length) throw damaged();
    this.requireRoom(count);
    const { bytes } = this;
    for (let i = this.length; i < this.length + count; ++i) bytes[i] = bytes[i - back]!;
    this.length += count;
  }
}

/** Decompresses a frame of LZ4, which Arrow's files have by default. Throws a RangeError for what is damaged. */
export function decompressLz4(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = bytes[4] ?? 0;
  // Version 1, without a dictionary of elsewhere.
  if (bytes.length < 7 || view.getUint32(0, true) !== magic || flags >> 6 !== 1 || (flags & 1) !== 0) throw damaged();
  let at = 7 + (flags & 8 ? 8 : 0);
  const blockChecksum = flags & 16 ? 4 : 0;
  const out = new Output(4 * bytes.length);
  for (;;) {
    if (at + 4 > bytes.length) throw damaged();
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) return out.bytes.subarray(0, out.length);
    const size = head & 0x7fffffff;
    if (at + size > bytes.length) throw damaged();
    const block = bytes.subarray(at, at + size);
    if (head >>> 31 === 1) out.add(block);
    else decompressBlock(block, out);
    at += size + blockChecksum;
  }
}

function decompressBlock(block: Uint8Array, out: Output): void {
  let at = 0;
  const longer = (first: number): number => {
    let total = first;
    for (let byte = first === 15 ? 255 : 0; byte === 255; total += byte) {
      if (at >= block.length) throw damaged();
      byte = block[at++]!;
    }
    return total;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = longer(token >> 4);
    if (at + literals > block.length) throw damaged();
    out.add(block.subarray(at, at + literals));
    at += literals;
    if (at === block.length) return;
    if (at + 2 > block.length) throw damaged();
    const back = block[at]! | (block[at + 1]! << 8);
    at += 2;
    out.repeat(back, longer(token & 15) + 4);
  }
}
