import { cutEnd, cutStart } from './format.js';

/** A cell of a table: a text, and what makes it bold or coloured. */
export interface Cell {
  text: string;
  paint?: (text: string) => string;
}

const gap = '  ';
const leastName = 12;

/**
 * Rows of a name and values, under a header. Where the values do not fit beside each other, they come in several tables one below
 * the other, each with the names.
 */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], width: number): string[] {
  const all = [header.map((text): Cell => ({ text })), ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.text.length)));
  const names = Math.min(widths[0]!, Math.max(leastName, width - 2 * gap.length - Math.max(...widths.slice(1))));
  const room = width - names - 2 * gap.length;
  const columns = [names, ...widths.slice(1).map((each) => Math.min(each, room))];
  return groupsOf(columns, width).flatMap((group, i) => [
    ...(i > 0 ? [''] : []),
    ...all.map((row) => `${gap}${[0, ...group].map((column) => aligned(row[column]!, columns[column]!, column > 0)).join(gap)}`.trimEnd()), // prettier-ignore
  ]);
}

/** The columns of values that fit a line beside the names, one at least. */
function groupsOf(columns: readonly number[], width: number): number[][] {
  const groups: number[][] = [];
  let used = Infinity;
  for (let column = 1; column < columns.length; ++column) {
    used += gap.length + columns[column]!;
    if (used > width) {
      groups.push([]);
      used = 2 * gap.length + columns[0]! + columns[column]!;
    }
    groups.at(-1)!.push(column);
  }
  return groups;
}

function aligned({ text, paint = plain }: Cell, width: number, isRight: boolean): string {
  const shown = cutEnd(text, width);
  const space = ' '.repeat(width - shown.length);
  return isRight ? space + paint(shown) : paint(shown) + space;
}

const plain = (text: string): string => text;

/** Rows of a name and a value; a name that leaves its value no room has a line of its own. */
export function pairs(rows: readonly (readonly [string, string])[], width: number): string[] {
  const longest = Math.floor(width * 0.5);
  const names = Math.max(0, ...rows.map(([name]) => name.length).filter((length) => length <= longest));
  const room = width - names - 2 * gap.length;
  return rows.flatMap(([name, value]) => {
    const shown = value.includes('/') ? cutStart(value, room) : cutEnd(value, room);
    if (name.length <= names) return [`${gap}${name.padEnd(names)}${gap}${shown}`];
    if (name.length + value.length + 2 * gap.length <= width) return [`${gap}${name}${gap}${value}`];
    return [`${gap}${cutEnd(name, width - gap.length)}`, `${gap}${' '.repeat(names)}${gap}${shown}`];
  });
}
