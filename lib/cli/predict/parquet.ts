import type * as hyparquet from 'hyparquet-writer' with { 'resolution-mode': 'import' };

import type { ColumnType } from '../../core/runs/predictedValues.js';
import { AiforgeError } from '../../errors.js';
import type { DType } from '../../tensor/index.js';
import { errorColumn, json, type Format, type Row } from './format.js';

type SchemaElement = ConstructorParameters<typeof hyparquet.ParquetWriter>[0]['schema'][number];

/** Rows, and values in them, that make a row group at most. */
const mostRows = 10_000;
const mostValues = 1_000_000;

type Physical = 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'BYTE_ARRAY';

/** Those that hold every value of the dtype as it is; others become texts. */
const physicalTypes: Partial<Record<DType, Physical>> = {
  float32: 'FLOAT',
  float16: 'FLOAT',
  bfloat16: 'FLOAT',
  float64: 'DOUBLE',
  int64: 'INT64',
  uint32: 'INT64',
  int32: 'INT32',
  int16: 'INT32',
  int8: 'INT32',
  uint16: 'INT32',
  uint8: 'INT32',
  bool: 'BOOLEAN',
};

interface Column {
  physical: Physical;
  /** Lists in one another; 0 for a plain value. */
  depth: number;
}

/**
 * Parquet, by the package hyparquet-writer: tensors as lists of their own dtype, numbers as doubles, texts, and JSON of anything
 * else. The first rows say what the columns are.
 */
export class Parquet implements Format {
  readonly #library: typeof hyparquet;
  readonly #bytes: hyparquet.ByteWriter;
  readonly #hasErrors: boolean;
  readonly #types = new Map<string, ColumnType>();
  #writer: hyparquet.ParquetWriter | undefined;
  #columns = new Map<string, Column>();
  #waiting: Row[] = [];

  private constructor(library: typeof hyparquet, hasErrors: boolean) {
    this.#library = library;
    this.#bytes = new library.ByteWriter();
    this.#hasErrors = hasErrors;
  }

  /** Throws INVALID_ARGUMENT where the package is not installed. */
  static async open(hasErrors: boolean): Promise<Parquet> {
    try {
      return new Parquet(await import('hyparquet-writer'), hasErrors);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
      throw new AiforgeError('INVALID_ARGUMENT', '--output: Parquet files are written by the package hyparquet-writer, which is not installed: npm install hyparquet-writer, or write .jsonl or .csv.', { cause }); // prettier-ignore
    }
  }

  write(rows: readonly Row[], types: Readonly<Record<string, ColumnType>>): Uint8Array {
    for (const [name, type] of Object.entries(types)) this.#learn(name, type);
    this.#waiting.push(...rows);
    const valuesOfRow = [...this.#types.values()].reduce((sum, { size }) => sum + size, 1);
    const isFull = this.#waiting.length >= Math.min(mostRows, mostValues / valuesOfRow);
    // Rows that are all errors do not say what the columns are.
    const isKnown = this.#writer !== undefined || this.#waiting.some((row) => !(errorColumn in row));
    return isFull && isKnown ? this.#writeGroup() : new Uint8Array();
  }

  /** A dtype that changed would be rounded to the first one. */
  #learn(name: string, type: ColumnType): void {
    const known = this.#types.get(name);
    this.#types.set(name, type);
    if (known === undefined || (known.dtype === type.dtype && known.ndim === type.ndim)) return;
    const said = ({ dtype, ndim }: ColumnType) => `${dtype} of ${ndim} dimensions an item`;
    throw otherType(name, said(type), said(known));
  }

  end(): Uint8Array {
    const rows = this.#writeGroup();
    void this.#writer?.finish();
    return Buffer.concat([rows, this.#take()]);
  }

  #writeGroup(): Uint8Array {
    const rows = this.#waiting;
    this.#waiting = [];
    if (this.#writer === undefined) this.#begin(rows);
    for (const row of rows) for (const name in row) if (!this.#columns.has(name)) throw unknownColumn(name, [...this.#columns.keys()]); // prettier-ignore
    if (rows.length === 0) return this.#take();
    const columnData = Array.from(this.#columns, ([name, column]) => ({
      name,
      data: rows.map((row) => stored(row[name], column, name)),
    }));
    void this.#writer!.write({ columnData, rowGroupSize: rows.length });
    return this.#take();
  }

  /** What the library has written since it was asked last. */
  #take(): Uint8Array {
    const taken = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return taken;
  }

  #begin(rows: readonly Row[]): void {
    const names = new Set(rows.flatMap((row) => Object.keys(row)));
    if (this.#hasErrors) names.add(errorColumn);
    for (const name of names) this.#columns.set(name, this.#columnOf(name, rows.map((row) => row[name]))); // prettier-ignore
    const elements = Array.from(this.#columns, ([name, column]) => elementsOf(name, column));
    const schema: SchemaElement[] = [{ name: 'root', num_children: elements.length }, ...elements.flat()];
    this.#writer = new this.#library.ParquetWriter({ writer: this.#bytes, schema, createdBy: 'aiforge' });
  }

  #columnOf(name: string, values: readonly unknown[]): Column {
    const type = this.#types.get(name);
    if (type !== undefined) return { physical: physicalTypes[type.dtype] ?? 'BYTE_ARRAY', depth: physicalTypes[type.dtype] === undefined ? 0 : type.ndim }; // prettier-ignore
    const there = values.filter((value) => value !== undefined && value !== null);
    const areAll = (kind: string) => there.length > 0 && there.every((value) => typeof value === kind);
    if (areAll('number')) return { physical: 'DOUBLE', depth: 0 };
    return { physical: areAll('boolean') ? 'BOOLEAN' : 'BYTE_ARRAY', depth: 0 };
  }
}

/** A column's part of the schema: each list is a group around a repeated one, as the format has it. */
function elementsOf(name: string, { physical, depth }: Column, isTop = true): SchemaElement[] {
  const repetition_type = isTop ? 'OPTIONAL' : 'REQUIRED';
  if (depth === 0) return [{ name, type: physical, repetition_type, ...(physical === 'BYTE_ARRAY' ? { converted_type: 'UTF8' } : {}) }]; // prettier-ignore
  return [
    { name, repetition_type, converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...elementsOf('element', { physical, depth: depth - 1 }, false),
  ];
}

/** A value as the library takes it. */
function stored(value: unknown, { physical, depth }: Column, name: string): unknown {
  if (value === undefined || value === null) return null;
  if (depth > 0) {
    if (Array.isArray(value)) return value.map((entry) => stored(entry, { physical, depth: depth - 1 }, name));
    throw otherType(name, json(value), 'a list');
  }
  if (physical === 'BYTE_ARRAY') return typeof value === 'string' ? value : json(value);
  if (physical === 'BOOLEAN' && typeof value === 'boolean') return value;
  if (physical === 'INT64' && (typeof value === 'number' || typeof value === 'bigint')) return BigInt(value);
  if (physical !== 'BOOLEAN' && typeof value === 'number') return value;
  throw otherType(name, json(value), physical === 'BOOLEAN' ? 'a boolean' : 'a number');
}

function otherType(name: string, given: string, before: string): AiforgeError {
  return new AiforgeError('PLUGIN_INVALID', `predictStep gave ${given} as '${name}' for some items and ${before} for those before, and a column of a Parquet file has one type: write .jsonl.`); // prettier-ignore
}

function unknownColumn(name: string, columns: readonly string[]): AiforgeError {
  return new AiforgeError('PLUGIN_INVALID', `predictStep gave '${name}' for some items and not for those before, and a Parquet file has one set of columns (${columns.join(', ')}): write .jsonl.`); // prettier-ignore
}
