const words: Readonly<Record<string, number>> = { inf: Infinity, infinity: Infinity, nan: NaN };

/** Whether a text is a whole number in JavaScript's other notations, such as 0x10: no table means these. */
const isPrefixed = (text: string): boolean => text.length > 2 && /^\s*0[xob]/i.test(text);

/** The number that a text is, in decimal notation, `inf` or `nan`; undefined for any other text. */
export function numberOfText(text: string): number | undefined {
  const value = Number(text);
  if (value !== 0 && !Number.isNaN(value)) return isPrefixed(text) ? undefined : value;
  const trimmed = text.trim();
  if (value === 0) return trimmed === '' || isPrefixed(trimmed) ? undefined : value;
  const isNegative = trimmed.startsWith('-');
  const word = (isNegative || trimmed.startsWith('+') ? trimmed.slice(1) : trimmed).toLowerCase();
  if (!Object.hasOwn(words, word)) return undefined;
  return isNegative ? -words[word]! : words[word];
}

/** The whole number that a text of decimal digits is, exactly: a bigint beyond 2^53; undefined for any other text. */
export function wholeOfText(text: string): number | bigint | undefined {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  // More digits than any type has need not be computed.
  const digits = text.trim().replace(/^\+/, '');
  return digits.replace(/^-?0*/, '').length > 20 ? value : BigInt(digits);
}

const booleans: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false };

/** What `true`, `false`, `1` and `0` say, in letters of any case; undefined for any other text. */
export function booleanOfText(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  return Object.hasOwn(booleans, word) ? booleans[word] : undefined;
}
