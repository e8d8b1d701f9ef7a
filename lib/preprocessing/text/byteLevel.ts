import { Buffer } from 'node:buffer';

/** Bytes that stand for themselves: printable ones of Latin-1. */
const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** The character for each byte, as GPT-2 has them: the others come after Latin-1. */
export const byteCharacters: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

// Python's \s is Unicode's White_Space; JavaScript's is not quite.
const words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The pieces of a text that GPT-2 takes for words, with the space before them. */
export const wordsOf = (text: string): string[] => text.match(words) ?? [];

/** A text's UTF-8 bytes as characters. */
export const inByteCharacters = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => byteCharacters[byte]!).join('');
