import { show } from '../../show.js';
import { refusal } from '../tables/frame.js';

const textOf = (who: string, text: unknown): string => {
  if (typeof text === 'string') return text;
  throw refusal(who, `expected texts, got ${show(text)}`);
};

/** What a function makes of the numbers of words in texts; a promise for texts that are waited for. */
export function withWordCounts<T>(
  who: string,
  texts: Iterable<string> | AsyncIterable<string>,
  wordsOf: (text: string) => readonly string[],
  make: (counts: ReadonlyMap<string, number>) => T,
): T | Promise<T> {
  const counts = new Map<string, number>();
  const add = (text: unknown): void => {
    for (const word of wordsOf(textOf(who, text))) counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  if (typeof texts === 'string' || !(Symbol.asyncIterator in texts)) {
    if (typeof texts === 'string')
      throw refusal(who, 'expected texts to iterate over, got a string: put it into an array');
    for (const text of texts) add(text);
    return make(counts);
  }
  return (async () => {
    for await (const text of texts) add(text);
    return make(counts);
  })();
}
