import { AiforgeError } from '../../errors.js';
import { fromTypedArray, Tensor, tensor } from '../../tensor/index.js';
import { isWholeType, type ColumnType } from './columnTypes.js';
import { badCell, type TableColumns } from './table.js';
import { expectedValue, type ColumnLayout } from './tableLayout.js';
import { expectedOf } from './columnTypes.js';

/** A column as its file has it; nulls have 1 in `nulls`, and any value. */
export interface GivenColumn {
  readonly values: Tensor | string[];
  readonly nulls: Uint8Array | undefined;
}

/** What rows of a column are bad: the value, and what was expected. */
type BadRows = Map<number, { value: unknown; expected: string }>;

/** Throws INVALID_ARGUMENT where a column cannot be read as options ask. */
export function checkConvertible(where: string, { name, type }: ColumnLayout, given: ColumnType): void {
  const isText = given === 'string';
  if (type === given || (!isText && type !== 'string' && type !== 'bool')) return;
  const remedy = isText ? "'string'" : given === 'bool' ? "'bool' or a type of numbers" : 'a type of numbers';
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${where}: column '${name}' is ${given} in the file and cannot be read as ${type}; ask for ${remedy}.`,
  );
}

/**
 * Columns of a file as columns of their table: of the types asked for, with what stands for missing values. Bad rows are told to
 * `leaveOut`, which throws or counts them, and left out.
 *
 * @param where How errors name a row of these.
 */
export function fitColumns(
  layout: readonly ColumnLayout[],
  given: readonly GivenColumn[],
  where: (row: number) => string,
  leaveOut: (error: AiforgeError) => void,
): TableColumns {
  const bad = new Map<number, AiforgeError>();
  const fitted = layout.map((column, i) => {
    const [values, badRows] = fit(column, given[i]!);
    for (const [row, { value, expected }] of badRows) {
      if (!bad.has(row)) bad.set(row, badCell(where(row), { column: column.name, value, expected }));
    }
    return values;
  });
  for (const row of [...bad.keys()].sort((a, b) => a - b)) leaveOut(bad.get(row)!);
  const kept = bad.size === 0 ? fitted : fitted.map((values) => without(values, bad));
  return Object.fromEntries(layout.map(({ name }, i) => [name, kept[i]!]));
}

function without(values: Tensor | string[], rows: ReadonlyMap<number, unknown>): Tensor | string[] {
  if (!Tensor.isTensor(values)) return values.filter((_, row) => !rows.has(row));
  const kept = Array.from({ length: values.size(0) }, (_, row) => row).filter((row) => !rows.has(row));
  const indices = tensor(kept, { dtype: 'int64' });
  const rest = values.indexSelect(0, indices);
  for (const each of [values, indices]) each.dispose();
  return rest;
}

function fit(layout: ColumnLayout, { values, nulls }: GivenColumn): [Tensor | string[], BadRows] {
  const bad: BadRows = new Map();
  const fitted = Tensor.isTensor(values) ? fitNumbers(layout, values, nulls, bad) : fitTexts(layout, values, nulls);
  if (nulls !== undefined && layout.missing === undefined) {
    for (let row = nulls.indexOf(1); row >= 0; row = nulls.indexOf(1, row + 1)) {
      bad.set(row, { value: null, expected: expectedValue(layout) });
    }
  }
  if (layout.check !== undefined) checkRules(layout, layout.check, fitted, nulls, bad);
  return [fitted, bad];
}

function fitTexts({ missing }: ColumnLayout, values: string[], nulls: Uint8Array | undefined): string[] {
  if (nulls === undefined || missing === undefined) return values;
  return values.map((text, row) => (nulls[row] === 1 ? (missing as string) : text));
}

function fitNumbers(
  { type, missing }: ColumnLayout,
  values: Tensor,
  nulls: Uint8Array | undefined,
  bad: BadRows,
): Tensor {
  let fitted = values;
  if (values.dtype !== type) {
    fitted = values.to(type as Exclude<ColumnType, 'string'>);
    if (isWholeType(type)) findChanged(type, values, fitted, nulls, bad);
    values.dispose();
  }
  if (nulls === undefined || missing === undefined) return fitted;
  const mask = fromTypedArray(nulls, { dtype: 'bool' });
  const filled = fitted.maskedFill(mask, missing as number);
  for (const each of [mask, fitted]) each.dispose();
  return filled;
}

/** Rows whose values are others in whole numbers of a type. */
function findChanged(
  type: ColumnType,
  values: Tensor,
  fitted: Tensor,
  nulls: Uint8Array | undefined,
  bad: BadRows,
): void {
  const back = fitted.to(values.dtype);
  const same = back.eq(values);
  const isSame = same.toTypedArray();
  for (let row = isSame.indexOf(0 as never); row >= 0; row = isSame.indexOf(0 as never, row + 1)) {
    if (nulls?.[row] !== 1) bad.set(row, { value: values.at(row).item(), expected: expectedOf(type) });
  }
  for (const each of [back, same]) each.dispose();
}

function checkRules(
  { type }: ColumnLayout,
  check: (value: unknown) => string | undefined,
  fitted: Tensor | string[],
  nulls: Uint8Array | undefined,
  bad: BadRows,
): void {
  const values: unknown[] = Tensor.isTensor(fitted) ? fitted.tolist<number[]>() : fitted;
  for (const [row, value] of values.entries()) {
    if (nulls?.[row] === 1 || bad.has(row)) continue;
    let expected = check(value);
    // A whole number of 64 bits is a number or a bigint to a schema.
    if (expected !== undefined && type === 'int64' && typeof value === 'number') expected = check(BigInt(value));
    if (expected !== undefined) bad.set(row, { value, expected });
  }
}
