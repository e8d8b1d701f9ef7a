import { Buffer } from 'node:buffer';
import { createReadStream, statSync } from 'node:fs';

import { UnreadItem } from '../../core/runs/predictionBatches.js';
import { AiforgeError } from '../../errors.js';

const newline = 0x0a;

/** Throws FILE_NOT_FOUND for a file that cannot be read. */
export function requireInput(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory()) return;
  const problem = stats === undefined ? 'There is no file' : 'No file, but a folder, is';
  throw new AiforgeError('FILE_NOT_FOUND', `--input: ${problem} '${file}'. Give a file of JSON Lines, an item each.`);
}

/** The items of a file of JSON Lines, one after the other; what is no JSON is an UnreadItem that names its line. */
export async function* jsonLines(file: string): AsyncGenerator<unknown> {
  let number = 0;
  for await (const line of linesOf(file)) {
    ++number;
    try {
      yield JSON.parse(textOf(line, number)) as unknown;
    } catch (cause) {
      const problem = line.length === 0 ? 'it is empty' : (cause as Error).message;
      yield new UnreadItem(new AiforgeError('FILE_INVALID', `Line ${number} of ${file} is no JSON: ${problem}.`, { cause })); // prettier-ignore
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Of an editor that marks its files, the first line begins with a byte order mark. */
function textOf(line: Buffer, number: number): string {
  const text = decoder.decode(line);
  return number === 1 ? text.replace(/^\ufeff/, '') : text;
}

/** Not by node:readline, which ends lines at U+2028 as well: JSON may have it in its texts. */
async function* linesOf(file: string): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      begun.push(chunk.subarray(start, end));
      yield Buffer.concat(begun);
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}
