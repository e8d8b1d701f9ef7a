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
 * The texts of the values of an object as they stand in its text, which must be valid JSON, by their names: JSON.parse gives whole
 * numbers beyond 2^53 rounded.
 */
export function sourcesOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  for (let begin = text.indexOf('"', at); begin >= 0; begin = text.indexOf('"', at)) {
    const end = endOfString(text, begin);
    const value = text.indexOf(':', end) + 1;
    at = endOfValue(text, value);
    // Of several entries of one name, the last counts.
    found.set(JSON.parse(text.slice(begin, end)) as string, text.slice(value, at).trim());
  }
  return found;
}
