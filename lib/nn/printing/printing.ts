const indent = (text: string): string => text.replaceAll('\n', '\n  ');

/** `Name(…)` on one line when there is little to say, else a line for each item. */
export function formatModule(name: string, extra: string, children: readonly string[]): string {
  const extraLines = extra === '' ? [] : extra.split('\n');
  const lines = [...extraLines, ...children];
  if (lines.length === 0) return `${name}()`;
  if (lines.length === 1 && children.length === 0) return `${name}(${extra})`;
  return `${name}(\n  ${lines.map(indent).join('\n  ')}\n)`;
}

/** `(0-3): 4 x Block(…)` for neighbours that print alike. */
export function collapseRepeated(items: readonly string[]): string[] {
  const lines: string[] = [];
  for (let start = 0; start < items.length;) {
    let end = start + 1;
    while (items[end] === items[start]) ++end;
    lines.push(
      end - start === 1 ? `(${start}): ${items[start]!}` : `(${start}-${end - 1}): ${end - start} x ${items[start]!}`,
    );
    start = end;
  }
  return lines;
}

export const pythonBoolean = (value: boolean): string => (value ? 'True' : 'False');

/** A number as Python writes a float: `1e-05`, `0.1`, `2.0`. */
export function pythonFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** The text of a value in Python: a tuple for an array. */
export function pythonTuple(values: readonly number[]): string {
  return values.length === 1 ? `(${values[0]!},)` : `(${values.join(', ')})`;
}

/** A number as Python prints it where whole ones are its integers: `2`, `1.5`, `1e-05`, `inf`. */
export const pythonNumber = (value: number): string =>
  Number.isSafeInteger(value) ? String(value) : pythonFloat(value);
