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
  const widths = header.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.text.length)));
  const widest = Math.max(...widths.slice(1));
  const names = Math.min(widths[0]!, Math.max(leastName, width - 2 * gap.length - widest));
  const lines: string[] = [];
  for (let from = 1; from < header.length;) {
    let to = from;
    let used = gap.length + names;
    while (to < header.length && (to === from || used + gap.length + widths[to]! <= width)) used += gap.length + widths[to++]!; // prettier-ignore
    const room = width - gap.length - names - gap.length;
    const line = (cells: readonly Cell[]) => {
      const [name, ...values] = [cells[0]!, ...cells.slice(from, to)];
      const shown = values.map(({ text, paint = plain }, i) => {
        const most = Math.min(widths[from + i]!, room);
        const cut = cutEnd(text, most);
        return ' '.repeat(most - cut.length) + paint(cut);
      });
      return [`${gap}${(name.paint ?? plain)(cutEnd(name.text, names))}${' '.repeat(Math.max(0, names - name.text.length))}`, ...shown].join(gap).trimEnd(); // prettier-ignore
    };
    if (lines.length > 0) lines.push('');
    lines.push(line(header.map((text) => ({ text }))), ...rows.map(line));
    from = to;
  }
  return lines;
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
