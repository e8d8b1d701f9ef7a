import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

import { AiforgeError } from '../errors.js';

/** The text of a configuration file. Throws CONFIG_INVALID where it is not UTF-8, with line and column. */
export function readUtf8(file: string): string {
  const bytes = readFileSync(file);
  const text = bytes.toString('utf8');
  if (isUtf8(bytes)) return text;
  const { before, byte } = firstInvalid(bytes, text);
  const lines = before.split('\n');
  throw new AiforgeError(
    'CONFIG_INVALID',
    `${file}:${lines.length}:${lines.at(-1)!.length + 1}: the byte 0x${byte} is not UTF-8. Save the file as UTF-8.`,
  );
}

/** What stands before the first bytes that are no character; in the text such are U+FFFD, which may be written too. */
function firstInvalid(bytes: Buffer, text: string): { before: string; byte: string } {
  const written = Buffer.from('\uFFFD');
  let offset = 0;
  let end = 0;
  for (let at = text.indexOf('\uFFFD'); ; at = text.indexOf('\uFFFD', at + 1)) {
    offset += Buffer.byteLength(text.slice(end, at));
    end = at;
    const found = bytes.subarray(offset, offset + written.length);
    if (!found.equals(written)) return { before: text.slice(0, at), byte: found.toString('hex', 0, 1) };
  }
}
