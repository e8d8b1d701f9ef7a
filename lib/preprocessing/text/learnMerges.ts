import { MergeQueue } from './mergeQueue.js';

export interface MergeSettings {
  vocabSize: number;
  minFrequency: number;
  specialTokens: readonly string[];
  /** Characters that are tokens whether they are there or not. */
  alphabet: readonly string[];
  /** So many characters at most are tokens: the most frequent ones; null for no limit. */
  limitAlphabet: number | null;
  /** What a token begins with that is not at a word's beginning. */
  prefix: string;
}

/** Tokens in the order of their numbers, and the pairs that were merged, in their order. */
export interface Merges {
  tokens: string[];
  merges: [first: string, second: string][];
}

// Numbers of tokens are below 2^26, so that a pair is a number that float64 holds.
const PAIR = 2 ** 26;

/** A growing list of tokens, each with a number. */
class Tokens {
  readonly all: string[] = [];
  readonly #ids = new Map<string, number>();

  idOf(token: string): number {
    const known = this.#ids.get(token);
    if (known !== undefined) return known;
    this.#ids.set(token, this.all.length);
    return this.all.push(token) - 1;
  }

  has(token: string): boolean {
    return this.#ids.has(token);
  }
}

/** The characters that are tokens, in the order of their code points. */
function alphabetOf(words: ReadonlyMap<string, number>, { alphabet, limitAlphabet }: MergeSettings): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) for (const char of word) counts.set(char, (counts.get(char) ?? 0) + count);
  for (const char of alphabet) counts.set(char, Infinity);
  const byCode = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!;
  const chars = [...counts.keys()];
  if (limitAlphabet === null || chars.length <= limitAlphabet) return chars.sort(byCode);
  // Of characters that are as frequent, those of the lower code points stay.
  const kept = chars.sort((a, b) => Number(counts.get(b)! > counts.get(a)!) - Number(counts.get(b)! < counts.get(a)!) || byCode(a, b)); // prettier-ignore
  return kept.slice(0, limitAlphabet).sort(byCode);
}

/** A word's characters as tokens; characters that are none are left out. */
function split(word: string, tokens: Tokens, prefix: string): number[] {
  const ids: number[] = [];
  let isFirst = true;
  for (const char of word) {
    if (tokens.has(char)) ids.push(tokens.idOf(isFirst ? char : prefix + char));
    isFirst = false;
  }
  return ids;
}

/**
 * Learns which tokens belong together: the most frequent pair becomes one token, and so on. As the trainer of Hugging Face's tokenizers
 * for BPE, whose order of pairs that are as frequent it keeps. Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units", 2016.
 *
 * @param words How often each word is there.
 */
export function learnMerges(words: ReadonlyMap<string, number>, settings: MergeSettings): Merges {
  const tokens = new Tokens();
  for (const token of settings.specialTokens) tokens.idOf(token);
  for (const char of alphabetOf(words, settings)) tokens.idOf(char);
  const counts = [...words.values()];
  const parts = [...words.keys()].map((word) => split(word, tokens, settings.prefix));
  const pairs = new PairCounts(parts, counts);
  const merges: [string, string][] = [];
  while (tokens.all.length < settings.vocabSize) {
    const best = pairs.next();
    if (best === undefined || best.count < 1 || best.count < settings.minFrequency) break;
    const [first, second] = [tokens.all[best.first]!, tokens.all[best.second]!];
    const rest = second.startsWith(settings.prefix) ? second.slice(settings.prefix.length) : second;
    pairs.merge(best, tokens.idOf(first + rest));
    merges.push([first, second]);
  }
  return { tokens: tokens.all, merges };
}

/** How often each pair of neighbours is there, and where. */
class PairCounts {
  readonly #counts = new Map<number, number>();
  readonly #queue = new MergeQueue();

  constructor(
    private readonly words: number[][],
    private readonly wordCounts: readonly number[],
  ) {
    const places = new Map<number, Set<number>>();
    words.forEach((word, i) => {
      for (let at = 0; at + 1 < word.length; ++at) {
        const pair = word[at]! * PAIR + word[at + 1]!;
        this.#count(pair, wordCounts[i]!);
        noteIn(places, pair, i);
      }
    });
    this.#enqueue(places);
  }

  /** The most frequent pair. What the queue knows of a pair may be old: then it goes in again. */
  next() {
    for (;;) {
      const top = this.#queue.pop();
      if (top === undefined) return undefined;
      const count = this.#counts.get(top.first * PAIR + top.second)!;
      if (count === top.count) return top;
      this.#queue.push({ ...top, count });
    }
  }

  /** Makes one token of a pair, in all words where it is. */
  merge({ first, second, words }: { first: number; second: number; words: ReadonlySet<number> }, token: number): void {
    const places = new Map<number, Set<number>>();
    for (const i of words) {
      const times = this.wordCounts[i]!;
      const gained = (pair: number): void => {
        this.#count(pair, times);
        noteIn(places, pair, i);
      };
      this.words[i] = merged(this.words[i]!, [first, second, token], gained, (pair) => this.#count(pair, -times));
    }
    this.#enqueue(places);
  }

  #count(pair: number, by: number): void {
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + by);
  }

  #enqueue(places: ReadonlyMap<number, Set<number>>): void {
    for (const [pair, words] of places) {
      const count = this.#counts.get(pair)!;
      if (count > 0) this.#queue.push({ first: Math.floor(pair / PAIR), second: pair % PAIR, count, words });
    }
  }
}

function noteIn(places: Map<number, Set<number>>, pair: number, word: number): void {
  const words = places.get(pair);
  if (words === undefined) places.set(pair, new Set([word]));
  else words.add(word);
}

/** A word in which a pair is one token, from left to right; tells which pairs of neighbours came and went. */
function merged(
  word: readonly number[],
  [first, second, token]: readonly [number, number, number],
  gained: (pair: number) => void,
  lost: (pair: number) => void,
): number[] {
  const made: number[] = [];
  for (let at = 0; at < word.length; ++at) {
    if (word[at] !== first || word[at + 1] !== second) {
      made.push(word[at]!);
      continue;
    }
    const before = made.at(-1);
    if (before !== undefined) {
      lost(before * PAIR + first);
      gained(before * PAIR + token);
    }
    const after = word[at + 2];
    if (after !== undefined) {
      lost(second * PAIR + after);
      gained(token * PAIR + after);
    }
    made.push(token);
    at += 1;
  }
  return made;
}
