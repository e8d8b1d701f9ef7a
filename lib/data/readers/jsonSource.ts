/** Where the string ends that begins at a place of valid JSON. */
function endOfString(text: string, begin: number): number {
  let at = begin + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Where the value ends that begins at a place of valid JSON, and what is blank after it. */
function endOfValue(text: string, begin: number): number {
  let [at, depth] = [begin, 0];
  for (;;) {
    const letter = text[at];
    if (letter === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (depth === 0 && (letter === ',' || letter === '}')) return at;
    if (letter === '{' || letter === '[') depth++;
    else if (letter === '}' || letter === ']') depth--;
    at++;
  }
}

/**
 * The text of an entry's value as it stands in the text of an object, which must be valid JSON that has the entry: JSON.parse
 * gives whole numbers beyond 2^53 rounded.
 */
export function sourceOf(text: string, name: string): string {
  let at = text.indexOf('{') + 1;
  let found = '';
  while (at < text.length) {
    const begin = text.indexOf('"', at);
    if (begin < 0) break;
    const end = endOfString(text, begin);
    const value = text.indexOf(':', end) + 1;
    at = endOfValue(text, value);
    // Of several entries of one name, the last counts.
    if (JSON.parse(text.slice(begin, end)) === name) found = text.slice(value, at).trim();
    at++;
  }
  return found;
}
