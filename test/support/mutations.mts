/** Bytes with some of them changed, left out, doubled or cut off: the same ones each time. */
export function* mutations(original: Uint8Array, count: number, seed = 1): Generator<Buffer<ArrayBuffer>> {
  let state = seed >>> 0;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < count; ++i) {
    let bytes = Buffer.from(new Uint8Array(original));
    for (let change = draw(4); change >= 0; --change) bytes = Buffer.from(changed(bytes, draw));
    yield bytes;
  }
}

function changed(bytes: Buffer<ArrayBuffer>, draw: (below: number) => number): Uint8Array<ArrayBuffer> {
  const at = draw(Math.max(1, bytes.length));
  const length = 1 + draw(8);
  const kind = draw(10);
  if (kind === 0) return bytes.subarray(0, at);
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  if (kind === 2)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - length)), bytes.subarray(at)]);
  if (kind === 3) return bytes.fill(draw(2) * 255, at, Math.min(at + length, bytes.length));
  if (at < bytes.length) bytes[at] = kind < 7 ? draw(256) : bytes[at]! ^ (1 << draw(8));
  return bytes;
}
