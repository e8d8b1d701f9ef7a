import type { ColumnType } from '../../core/runs/predictedValues.js';
import { AiforgeError } from '../../errors.js';

/** A row of an output, by its columns. */
export type Row = Record<string, unknown>;

/** Makes what a file has of rows. */
export interface Format {
  /** Whether what was written can be read without an end. */
  readonly endsAnywhere: boolean;
  /** What is to be written of some rows, which come after those before, with the types of the columns that are tensors. */
  write(rows: readonly Row[], types: Readonly<Record<string, ColumnType>>): string | Uint8Array;
  /** What is left at the end. */
  end(): string | Uint8Array;
}

/** How an error stands among the columns. */
export const errorColumn = 'error';

/** JSON has no NaN, no infinities and no numbers beyond 2^53, and null would hide which it was. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

export const json = (value: unknown): string => JSON.stringify(value, plain) ?? 'null';

/** Rows that wait for the first that says what the columns are. */
export const mostErrors = 10_000;

export function tooManyErrors(refused: readonly Row[], format: string): AiforgeError {
  return new AiforgeError(
    'PLUGIN_INVALID',
    `None of the first ${refused.length} items has a prediction, so the columns of the ${format} file are not known. The first error: ${String(refused[0]![errorColumn])}`,
  );
}

export function unknownColumn(name: string, columns: readonly string[], format: string): AiforgeError {
  return new AiforgeError(
    'PLUGIN_INVALID',
    `predictStep gave '${name}' for some items and not for those before, and a ${format} file has one set of columns (${columns.join(', ')}): write .jsonl.`,
  );
}
