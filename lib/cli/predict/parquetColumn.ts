import type * as hyparquet from 'hyparquet-writer' with { 'resolution-mode': 'import' };

import type { ColumnType } from '../../core/runs/predictedValues.js';
import { AiforgeError } from '../../errors.js';
import type { DType } from '../../tensor/index.js';
import { json } from './format.js';

type SchemaElement = ConstructorParameters<typeof hyparquet.ParquetWriter>[0]['schema'][number];

type Physical = 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'BYTE_ARRAY';

/** Those that hold every value of the dtype as it is; others become JSON. */
const ofDType: Partial<Record<DType, Physical>> = {
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

/** What a column holds: the parts of tensors, or values of one kind. */
interface Content {
  /** As an error calls it. */
  said: string;
  physical: Physical;
  /** Lists in one another; 0 for a plain value. */
  depth: number;
  /** Whether a value is stored as its JSON. */
  isJson: boolean;
}

const plain = (said: string, physical: Physical, isJson = false): Content => ({ said, physical, depth: 0, isJson });

const contents = {
  number: plain('numbers', 'DOUBLE'),
  bigint: plain('bigints', 'INT64'),
  boolean: plain('booleans', 'BOOLEAN'),
  string: plain('texts', 'BYTE_ARRAY'),
  other: plain('values of several kinds', 'BYTE_ARRAY', true),
};

/** A column of a Parquet file. What it holds is known from the first batch that has values in it. */
export class ParquetColumn {
  /** Values that an item has in it. */
  size = 1;
  #content: Content | undefined;
  #values: unknown[] = [];

  constructor(readonly name: string) {}

  /** The values of a batch as they are stored, to be given to `add`. Throws PLUGIN_INVALID where the column holds others. */
  read(values: readonly unknown[], type: ColumnType | undefined): unknown[] {
    const there = values.filter((value) => value !== undefined && value !== null);
    if (there.length === 0) return values.map(() => null);
    const found = contentOf(there, type);
    const known = this.#content ?? found;
    if (known.said !== found.said && !known.isJson) {
      throw new AiforgeError('PLUGIN_INVALID', `predictStep gave ${found.said} as '${this.name}' for some items and ${known.said} for those before, and a column of a Parquet file has one type: write .jsonl.`); // prettier-ignore
    }
    this.#content = known;
    this.size = type?.size ?? 1;
    return values.map((value) => stored(value, known, known.depth));
  }

  add(values: readonly unknown[]): void {
    for (const value of values) this.#values.push(value);
  }

  /** What was added since it was asked last, as the library takes it. */
  takeData(): { name: string; data: unknown[]; encoding?: 'PLAIN' } {
    const data = this.#values;
    this.#values = [];
    const isReal = this.#content?.physical === 'FLOAT' || this.#content?.physical === 'DOUBLE';
    // A dictionary of values takes 0 and -0 for one.
    return { name: this.name, data, ...(isReal ? { encoding: 'PLAIN' } : {}) };
  }

  /** The column's part of the schema; what it holds is fixed by it. */
  elements(): SchemaElement[] {
    this.#content ??= contents.other;
    return elementsOf(this.name, this.#content, this.#content.depth, 'OPTIONAL');
  }
}

function contentOf(values: readonly unknown[], type: ColumnType | undefined): Content {
  if (type === undefined) {
    const kind = typeof values[0];
    if (values.some((value) => typeof value !== kind)) return contents.other;
    return kind in contents ? contents[kind as keyof typeof contents] : contents.other;
  }
  const { dtype, ndim } = type;
  const said = `tensors of ${dtype} with ${ndim} dimension${ndim === 1 ? '' : 's'} an item`;
  const physical = ofDType[dtype];
  if (physical === undefined) return plain(said, 'BYTE_ARRAY', true);
  return { said, physical, depth: ndim, isJson: false };
}

/** Each list is a group around a repeated one, as the format has it. */
function elementsOf(
  name: string,
  content: Content,
  depth: number,
  repetition_type: 'OPTIONAL' | 'REQUIRED',
): SchemaElement[] {
  // prettier-ignore
  const { physical } = content;
  if (depth === 0) {
    return [{ name, type: physical, repetition_type, ...(physical === 'BYTE_ARRAY' ? { converted_type: 'UTF8' } : {}) }]; // prettier-ignore
  }
  return [
    { name, repetition_type, converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...elementsOf('element', content, depth - 1, 'REQUIRED'),
  ];
}

/** A value as the library takes it. */
function stored(value: unknown, content: Content, depth: number): unknown {
  if (value === undefined || value === null) return null;
  if (content.isJson) return json(value);
  if (depth > 0) return (value as unknown[]).map((entry) => stored(entry, content, depth - 1));
  return content.physical === 'INT64' ? asInt64(value as number | bigint) : value;
}

function asInt64(value: number | bigint): bigint {
  const whole = BigInt(value);
  if (BigInt.asIntN(64, whole) === whole) return whole;
  throw new AiforgeError('PLUGIN_INVALID', `predictStep gave ${value}, which is beyond the 64 bits of a whole number in a Parquet file: write .jsonl.`); // prettier-ignore
}
