import { isUtf8 } from 'node:buffer';

// Python writes half a pair of UTF-16 as UTF-8 would a character ("surrogatepass"), which proper UTF-8 does not.
const HALF_LEAD = 0xed;
const isHalf = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === HALF_LEAD && bytes[at + 1]! >= 0xa0 && bytes[at + 1]! < 0xc0 && (bytes[at + 2]! & 0xc0) === 0x80;

const half = /(\p{Surrogate})/u;

/** A text in UTF-8, with halves of pairs as Python writes them. */
export function encodeText(text: string): Buffer {
  if (!half.test(text)) return Buffer.from(text, 'utf8');
  // Whole characters between the halves, and the halves, each alone.
  const parts = text.split(half);
  return Buffer.concat(
    parts.map((part) => {
      if (!half.test(part)) return Buffer.from(part, 'utf8');
      const unit = part.charCodeAt(0);
      return Buffer.of(HALF_LEAD, 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
    }),
  );
}

/** The text of such bytes; undefined for others. */
export function decodeText(bytes: Buffer): string | undefined {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  let start = 0;
  for (let at = 0; at <= bytes.length; ++at) {
    if (at < bytes.length && !isHalf(bytes, at)) continue;
    const whole = bytes.subarray(start, at);
    if (!isUtf8(whole)) return undefined;
    text += whole.toString('utf8');
    if (at < bytes.length)
      text += String.fromCharCode(0xd000 | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f));
    at += 2;
    start = at + 1;
  }
  return text;
}
