import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { show } from '../../show.js';
import { columnBuilder } from './columnBuilder.js';
import { expectedOf, type ColumnType } from './columnTypes.js';
import { columnsOfSchema } from './schemaColumns.js';
import { missingOf } from './typeInference.js';
import type { MissingValue, TableOptions } from './table.js';

/** A column as it is read. */
export interface ColumnLayout {
  name: string;
  type: ColumnType;
  /** What stands where a value is missing; undefined where none may be. */
  missing: MissingValue | undefined;
  /** Gives what a value should be where a schema refuses it. */
  check: ((value: unknown) => string | undefined) | undefined;
}

/** The columns that are asked for by name; undefined where all are. */
export function wantedColumns({ columns, schema }: TableOptions): readonly string[] | undefined {
  if (schema !== undefined) return columnsOfSchema(schema).map(({ name }) => name);
  if (columns === undefined) return undefined;
  return Array.isArray(columns) ? (columns as readonly string[]) : Object.keys(columns);
}

/** Whether options say the type of each column, so that none need be found. */
export const areTyped = ({ columns, schema }: TableOptions): boolean =>
  schema !== undefined || (columns !== undefined && !Array.isArray(columns));

/**
 * The columns that options ask for, of those that there are.
 *
 * @param found The columns that there are, with the types that they have or were found to have; 'unknown' where options say them.
 * @param where The file or the like, as errors name it.
 */
export function layoutOf(
  options: TableOptions,
  found: ReadonlyMap<string, ColumnType | 'unknown'>,
  where: string,
): ColumnLayout[] {
  const asked = askedColumns(options, found, where);
  const names = asked.map(({ name }) => name);
  const read = new Set(names);
  const missing = new Map(Object.entries(options.missing ?? {}));
  for (const name of missing.keys()) if (!read.has(name)) throw noColumn(where, name, names, 'missing names');
  if (names.length === 0) throw invalid(`${where}: no columns are asked for. Name one or more`);
  return asked.map((column) => {
    const instead = missing.get(column.name);
    if (instead === undefined) return column;
    const problem = columnBuilder(column.type).add(instead) ?? column.check?.(instead);
    if (problem === undefined) return { ...column, missing: instead };
    throw invalid(`${where}: missing gives ${show(instead)} for column '${column.name}', expected ${problem}`);
  });
}

function askedColumns(
  options: TableOptions,
  found: ReadonlyMap<string, ColumnType | 'unknown'>,
  where: string,
): ColumnLayout[] {
  const there = [...found.keys()];
  const asked = wantedColumns(options) ?? there;
  const absent = asked.find((name) => !found.has(name));
  if (absent !== undefined) throw noColumn(where, absent, there, 'there is');
  if (options.schema !== undefined) return columnsOfSchema(options.schema);
  const given = new Map(areTyped(options) ? Object.entries(options.columns as Record<string, ColumnType>) : []);
  return asked.map((name) => {
    const type = given.get(name) ?? (found.get(name) as ColumnType);
    return { name, type, missing: missingOf(type), check: undefined };
  });
}

function noColumn(where: string, name: string, known: readonly string[], what: string): AiforgeError {
  const some = known.length > 20 ? `${known.slice(0, 20).join(', ')}, …` : known.join(', ');
  const problem = what === 'there is' ? `there is no column '${name}'` : `${what} '${name}', which is no column read`;
  return invalid(`${where}: ${problem}.${didYouMean(name, known)} The columns are ${some}`);
}

const invalid = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `${problem}.`);

/** What a cell that has no value should have had. */
export function expectedValue({ type, check }: ColumnLayout): string {
  const instead = check !== undefined || type === 'string' || type === 'bool' ? '' : "read the column as 'float64' or ";
  return `${expectedOf(type)}; for rows without one ${instead}give what stands for it as \`missing\``;
}
