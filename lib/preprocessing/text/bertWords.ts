const removed = (char: string): boolean =>
  char === '\0' || char === '\uFFFD' || (/\p{C}/u.test(char) && !/[\t\n\r]/.test(char));

/** Ideographs, each of which is a word. */
const ideographs =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;

/** A text as BERT's normalizer leaves it. */
export function bertNormalized(text: string, lowercase: boolean): string {
  const clean = text
    .replace(/[\p{C}\uFFFD]/gu, (char) => (removed(char) ? '' : char))
    .replace(/\p{White_Space}/gu, ' ');
  const spaced = clean.replace(ideographs, ' $& ');
  if (!lowercase) return spaced;
  // Letter by letter: what is made of a whole word may depend on its end.
  return spaced.normalize('NFD').replace(/\p{Mn}/gu, '').replace(/\p{Lu}|\p{Lt}/gu, (char) => char.toLowerCase()); // prettier-ignore
}

const pieces = /[!-/:-@[-`{-~\p{P}]|[^\p{White_Space}!-/:-@[-`{-~\p{P}]+/gu;

/** The words of a normalized text, and each mark of punctuation by itself, as BERT's pre-tokenizer divides it. */
export const bertWordsOf = (text: string): string[] => text.match(pieces) ?? [];
