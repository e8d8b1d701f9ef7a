// Reads the frames that opdb.py writes: two 64-bit lengths, a JSON header, and the bytes that it points into.

export async function* readFrames(stream) {
  const input = new Chunks(stream);
  for (;;) {
    const lengths = await input.take(16);
    if (lengths === null) return;
    const view = new DataView(lengths);
    const header = JSON.parse(Buffer.from(await input.take(Number(view.getBigUint64(0, true)))).toString());
    const blob = await input.take(Number(view.getBigUint64(8, true)));
    yield { header, blob };
  }
}

class Chunks {
  #iterator;
  #chunk = Buffer.alloc(0);

  constructor(stream) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** The next bytes as an ArrayBuffer of their own, hence aligned; null at the end of the stream. */
  async take(length) {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#chunk.length === 0) {
        const { value, done } = await this.#iterator.next();
        if (done) return null;
        this.#chunk = value;
      }
      const part = this.#chunk.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    return taken.buffer;
  }
}
