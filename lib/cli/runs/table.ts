import { cutEnd } from './format.js';

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
  for (let from = 1; from < header.length; ) {
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

/** Rows of a name and a value that fill a line at most. */
export function pairs(rows: readonly (readonly [string, string])[], width: number): string[] {
  const names = Math.min(Math.max(...rows.map(([name]) => name.length)), Math.floor(width * 0.6));
  const room = width - names - 2 * gap.length;
  return rows.map(([name, value]) => `${gap}${cutEnd(name, names).padEnd(names)}${gap}${cutEnd(value, room)}`);
}
