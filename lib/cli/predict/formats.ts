import path from 'node:path';

import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { Csv } from './csv.js';
import { json, type Format, type Row } from './format.js';
import { Parquet } from './parquet.js';

class JsonLines implements Format {
  readonly endsAnywhere = true;

  write(rows: readonly Row[]): string {
    return rows.map((row) => `${json(row)}\n`).join('');
  }

  end(): string {
    return '';
  }
}

/** The format of an output by its extension. Throws INVALID_ARGUMENT for another one, and where a package that it needs is not installed. */
export async function formatOf(file: string, hasErrors: boolean): Promise<Format> {
  switch (path.extname(file).toLowerCase()) {
    case '.jsonl':
      return new JsonLines();
    case '.csv':
      return new Csv(hasErrors);
    case '.parquet':
      return Parquet.open(hasErrors);
    default:
      throw new AiforgeError('INVALID_ARGUMENT', `--output: ${show(file)} must end in .jsonl, .csv or .parquet.`);
  }
}
