import { alternatives, kind } from '../../kinds.js';

/** What a column of a table is read as: a dtype of numbers, or 'string'. */
export type ColumnType = 'bool' | 'uint8' | 'int8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64' | 'string';

/** The smallest and the largest value of the whole numbers of each type. */
export const wholeRanges = {
  uint8: [0n, 255n],
  int8: [-128n, 127n],
  int16: [-32768n, 32767n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

export type WholeType = keyof typeof wholeRanges;

const columnTypes: readonly ColumnType[] = [
  ...(['bool', 'uint8', 'int8', 'int16', 'int32', 'int64'] as const),
  ...(['float32', 'float64', 'string'] as const),
];

export const isWholeType = (type: ColumnType): type is WholeType => type in wholeRanges;

export const columnTypeKind = kind<ColumnType>(alternatives(columnTypes.map((type) => `'${type}'`)), (value) =>
  (columnTypes as readonly unknown[]).includes(value),
);

/** What a value of a column should have been, as an error says it. */
export function expectedOf(type: ColumnType): string {
  if (type === 'string') return 'a string';
  if (type === 'bool') return 'true or false';
  if (!isWholeType(type)) return `a number (${type})`;
  const [least, most] = wholeRanges[type];
  return `a whole number in ${least} … ${most} (${type})`;
}
