const first = 0x20;
const last = 0x7e;

/** Ids of characters: 0 for the end of a line, 1 and more for the printable ones of ASCII. */
export const vocabularySize = last - first + 2;

/** The ids of a text; what is no printable ASCII counts as the end of a line. */
export function encode(text: string): BigInt64Array {
  return BigInt64Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return code < first || code > last ? 0n : BigInt(code - first + 1);
  });
}

/** The text of some ids. */
export function decode(ids: readonly number[]): string {
  return ids.map((id) => (id === 0 ? '\n' : String.fromCodePoint(id + first - 1))).join('');
}
