import { nothing, signature } from '../../signature.js';
import { openTakes, StreamDataset, type Position, type SampleReader } from '../stream.js';
import { badFile } from './byteSource.js';
import { FileLines, textOfLine } from './fileLines.js';
import { positionIn, positionOf, type FilesPosition } from './filePlace.js';
import { filesKind } from './filesTable.js';
import { rememberArguments } from '../workers/remembered.js';

const textTakes = signature({ files: filesKind });

/**
 * The lines of text files in UTF-8, one file after another, without what ends them (`\n` or `\r\n`); files whose names end in .gz
 * are decompressed.
 *
 * @throws AiforgeError FILE_NOT_FOUND from a reading, and FILE_INVALID for a line that is not UTF-8 or longer than 16 MiB.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * writeFileSync('/tmp/aiforge-lines.txt', 'one\ntwo\n');
 * for await (const line of new data.TextReader('/tmp/aiforge-lines.txt')) console.log(line);
 */
export class TextReader extends StreamDataset<string> {
  /** The files that have its lines, in their order. */
  readonly files: readonly string[];

  constructor(files: string | readonly string[]) {
    textTakes.check(new.target.name, arguments);
    super();
    this.files = typeof files === 'string' ? [files] : [...files];
    if (new.target === TextReader) rememberArguments(this, 'TextReader', arguments);
  }

  open(position?: Position): SampleReader<string> {
    openTakes.check('open', arguments);
    return new LineReader(this.files, positionIn(this.files, position));
  }

  /** A reader for each file, where there are several. */
  override parts(): readonly TextReader[] {
    nothing.check('parts', arguments);
    return this.files.length === 1 ? [] : this.files.map((file) => new TextReader(file));
  }
}

class LineReader implements SampleReader<string> {
  #at: FilesPosition;
  #lines: FileLines | undefined;
  #isOver = false;

  constructor(
    readonly files: readonly string[],
    begin: FilesPosition,
  ) {
    this.#at = begin;
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    while (!this.#isOver && this.#at.file < this.files.length) {
      const { file, place } = this.#at;
      const lines = (this.#lines ??= new FileLines(this.files[file]!, place));
      const line = lines.take();
      if (line !== undefined) {
        this.#at = { file, place: lines.place };
        return { done: false, value: this.#textOf(line, lines.where) };
      }
      if (await this.#more(lines)) continue;
      lines.close();
      this.#lines = undefined;
      this.#at = { file: file + 1, place: undefined };
    }
    return { done: true, value: undefined };
  }

  position(): Position {
    return positionOf(this.#at);
  }

  return(): Promise<IteratorResult<string, undefined>> {
    this.#isOver = true;
    this.#lines?.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #more(lines: FileLines): Promise<boolean> {
    try {
      return await lines.more();
    } catch (error) {
      // It was closed while it read.
      if (this.#isOver) return false;
      await this.return();
      throw error;
    }
  }

  #textOf(line: Buffer, where: string): string {
    const text = textOfLine(line);
    if (text !== undefined) return text;
    void this.return();
    throw badFile(where, 'the line is not UTF-8. Convert the file, as by: iconv -t UTF-8');
  }
}
