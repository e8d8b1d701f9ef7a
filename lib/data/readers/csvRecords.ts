import { Buffer } from 'node:buffer';

import type * as CsvParse from 'csv-parse';

import { optionalLibrary } from '../optionalLibrary.js';
import { badFile, ByteSource, markLength, MOST_ROW_BYTES } from './byteSource.js';
import type { FilePlace } from './filePlace.js';
import { LineCount } from './lineCount.js';

/** How the fields of a file are told apart. */
export interface CsvFormat {
  delimiter: string;
  quote: string | null;
}

/** A row as it stands in the file, its fields as bytes in latin1; or what is wrong with its quotes. */
interface CsvRecord {
  fields: readonly string[];
  problem: string | undefined;
  /** The byte after it; of one with a problem the byte at which it begins. */
  end: number;
}

const problems: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'a field goes on after its closing quote; a quote within a field is written twice',
  INVALID_OPENING_QUOTE: 'a field has a quote but does not begin with one; put the whole field into quotes',
  CSV_QUOTE_NOT_CLOSED: 'a quote is not closed before the end of the file',
};

/** The rows of a CSV file from a place on, by csv-parse. Blank lines are passed over. */
export class CsvRecords {
  readonly #file: string;
  readonly #source: ByteSource;
  readonly #parser: CsvParse.Parser;
  #lines: LineCount;
  /** Where the parser began to read. */
  #from: number;
  #read: number;
  #queue: CsvRecord[] = [];
  #taken = 0;
  #line: number;
  #isOver = false;

  private constructor(file: string, place: FilePlace, format: CsvFormat, { Parser }: typeof CsvParse) {
    this.#file = file;
    this.#source = new ByteSource(file, place.byte);
    this.#lines = new LineCount(place);
    [this.#from, this.#read, this.#line] = [place.byte, place.byte, place.line];
    const take = (fields: string[]): void => this.#push({ fields, problem: undefined, end: this.#parsed });
    // Where the rows go that the parser finds. Its own `on_record` would make an object of everything that it knows for each.
    class Rows extends Parser {
      override push(fields: string[] | null): boolean {
        if (fields !== null) take(fields);
        return true;
      }
    }
    this.#parser = new Rows({
      delimiter: Buffer.from(format.delimiter),
      quote: format.quote,
      escape: format.quote,
      // A byte a character: each text is decoded for itself, so that what is not UTF-8 is found in its row.
      encoding: 'latin1',
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      on_skip: (error) => {
        this.#push({ fields: [], problem: problems[error!.code] ?? error!.message, end: this.#parsed });
        return undefined;
      },
    });
    // What a call is told of it is enough.
    this.#parser.on('error', () => undefined);
  }

  static async open(file: string, place: FilePlace, format: CsvFormat): Promise<CsvRecords> {
    const library = await optionalLibrary<typeof CsvParse>('CsvReader', 'csv-parse', ['Parser']);
    return new CsvRecords(file, place, format, library);
  }

  /** Where the next row begins. */
  get place(): FilePlace {
    return this.#lines.place;
  }

  /** The file and line of the row that was taken last. */
  get where(): string {
    return `${this.#file}, line ${this.#line}`;
  }

  /** The next of the rows that are in memory. */
  take(): CsvRecord | undefined {
    const record = this.#queue[this.#taken];
    if (record === undefined) return undefined;
    this.#taken++;
    this.#lines.passBlank();
    this.#line = this.#lines.place.line;
    this.#lines.advance(record.end);
    return record;
  }

  /** Reads on, once all rows in memory were taken; false at the end of the file. */
  async more(): Promise<boolean> {
    this.#queue = [];
    this.#taken = 0;
    while (this.#queue.length === 0 && !this.#isOver) {
      const chunk = await this.#source.next();
      if (chunk !== undefined) await this.#parse(chunk);
      else {
        this.#isOver = true;
        await this.#tell((then) => this.#parser.end(then));
      }
    }
    return this.#queue.length > 0;
  }

  close(): void {
    this.#isOver = true;
    this.#source.close();
    this.#parser.destroy();
  }

  /** Waits for what the parser is told. */
  #tell(what: (then: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      what((cause) => {
        if (!cause) resolve();
        else reject(badFile(this.where, `csv-parse cannot read on: ${cause.message}`, cause));
      });
    });
  }

  /** The byte after the last row that the parser has finished. */
  get #parsed(): number {
    return this.#from + this.#parser.info.bytes;
  }

  #push(record: CsvRecord): void {
    const last = this.#queue.at(-1);
    // A row may have several faults; it is told of once.
    if (record.problem === undefined || last?.problem === undefined || last.end !== record.end)
      this.#queue.push(record);
  }

  async #parse(chunk: Buffer): Promise<void> {
    let bytes = chunk;
    if (this.#read === 0) {
      const mark = markLength(this.#file, chunk);
      bytes = chunk.subarray(mark);
      this.#lines = new LineCount({ byte: mark, line: 1 });
      [this.#from, this.#read] = [mark, mark];
    }
    this.#lines.see(bytes);
    this.#read += bytes.length;
    await this.#tell((then) => this.#parser.write(bytes, then));
    if (this.#read - this.#parsed <= MOST_ROW_BYTES + chunk.length) return;
    const why = 'Is a quote not closed, or is this no CSV file?';
    throw badFile(
      `${this.#file}, line ${this.#lines.place.line}`,
      `a row has more than ${MOST_ROW_BYTES} bytes. ${why}`,
    );
  }
}
