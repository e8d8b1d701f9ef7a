import { ngrams, overlap } from './ngrams.js';
import { commonLength, commonPlaces } from './sequences.js';

/** What ROUGE compares: runs of so many words, the longest common subsequence of texts, or those of their lines. */
export const rougeKeys = [
  'rouge1',
  'rouge2',
  'rouge3',
  'rouge4',
  'rouge5',
  'rouge6',
  'rouge7',
  'rouge8',
  'rouge9',
  'rougeL',
  'rougeLsum',
] as const;

export type RougeKey = (typeof rougeKeys)[number];

/** The words of a text, and those of each of its lines. */
export interface Tokenized {
  words: readonly string[];
  lines: readonly (readonly string[])[];
}

export interface RougeScore {
  fmeasure: number;
  precision: number;
  recall: number;
}

/** How a prediction agrees with a reference. */
export function scoreOf(key: RougeKey, prediction: Tokenized, reference: Tokenized): RougeScore {
  if (key === 'rougeLsum') return linesScore(prediction.lines, reference.lines);
  const [given, wanted] = [prediction.words, reference.words];
  if (key === 'rougeL') return score(commonLength(given, wanted), given.length, wanted.length);
  const length = Number(key.slice('rouge'.length));
  const runs = (words: readonly string[]) => Math.max(words.length - length + 1, 0);
  return score(overlap(ngrams(given, length), ngrams(wanted, length)), runs(given), runs(wanted));
}

function score(hits: number, given: number, wanted: number): RougeScore {
  if (hits === 0) return { fmeasure: 0, precision: 0, recall: 0 };
  const [precision, recall] = [hits / given, hits / wanted];
  return { fmeasure: (2 * precision * recall) / (precision + recall), precision, recall };
}

/** Of each line of the reference what any line of the prediction has of it in order; a word counts as often as it is given. */
function linesScore(given: Tokenized['lines'], wanted: Tokenized['lines']): RougeScore {
  const found = wanted.flatMap((line) => {
    const places = new Set(given.flatMap((each) => commonPlaces(line, each)));
    return line.filter((_, place) => places.has(place));
  });
  const [words, wantedWords] = [given.flat(), wanted.flat()];
  return score(overlap(ngrams(found, 1), ngrams(words, 1)), words.length, wantedWords.length);
}
