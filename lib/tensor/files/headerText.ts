// Enough to know texts, keys, brackets and numbers apart; what is escaped ends no text.
const tokens = /\\.|[":[\]{}]|-?\d[\d.eE+-]*/g;

const METADATA = '__metadata__';
const entryFields: readonly string[] = ['dtype', 'shape', 'data_offsets'];

interface Open {
  /** The key of what is open; that of the header itself is empty. */
  readonly key: string;
  /** The format's fields that came so far. */
  readonly fields: Set<string>;
}

/** The fields that the format knows at a place; of other keys that come twice the last one counts. */
function fieldsAt(path: readonly Open[]): readonly string[] {
  if (path.length === 1) return [METADATA];
  return path.length === 2 && path[1]!.key !== METADATA ? entryFields : [];
}

/** Whether a list is an entry's shape, or its offsets. */
const isSizes = (path: readonly Open[]): boolean =>
  path.length === 3 && path[1]!.key !== METADATA && entryFields.includes(path[2]!.key);

/**
 * What is wrong with the JSON of a header that `JSON.parse` takes in silence and Python's reader does not: a field that comes
 * twice, a size that is not written as a whole number. Null for nothing.
 */
export function textProblem(header: string): string | null {
  const path: Open[] = [];
  let key = '';
  let [begin, end] = [-1, 0]; // of the text that is being read, else of the last one
  let isText = false;
  for (const { 0: token, index } of header.matchAll(tokens)) {
    if (token === '"') {
      isText = !isText;
      if (isText) begin = index;
      else end = index + 1;
    } else if (isText) continue;
    else if (token === '{' || token === '[') path.push({ key, fields: new Set() });
    else if (token === '}' || token === ']') path.pop();
    else if (token === ':') {
      key = JSON.parse(header.slice(begin, end)) as string;
      const { fields } = path.at(-1)!;
      if (fields.has(key)) return `its header has the field ${key} twice in one place`;
      if (fieldsAt(path).includes(key)) fields.add(key);
    } else if (isSizes(path) && !/^\d+$/.test(token)) {
      return `its header has ${token} for a size or an offset, expected the digits of a whole number`;
    }
  }
  return null;
}
