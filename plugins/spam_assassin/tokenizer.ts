/** The id of padding; also what an empty text consists of. */
export const padId = 0;
/** The id of every token that is not in the vocabulary. */
export const unknownId = 1;

const special = ['<pad>', '<unk>'];

const urlPattern = /\bhttps?:\/\/([^\s/?"'<>]*)[^\s"'<>]*/g;

const tokenPattern = /<[a-z-]{1,16}>|[a-z\u00c0-\u00ff]+(?:'[a-z]+)?|\d+|([^\s\w])\1*/g;

/**
 * Splits text into lower-cased words, numbers, marks of links, and punctuation; a run of one mark (`-----`, `!!!`) counts
 * as one token that is at most three long.
 */
export function tokenize(text: string): string[] {
  const tokens = text.toLowerCase().replace(urlPattern, ' <url> $1 ').match(tokenPattern) ?? [];
  return tokens.map((token) => (/^[^\w\u00c0-\u00ff<]/.test(token) ? token.slice(0, 3) : token));
}

/** A word-level tokenizer whose vocabulary is the most frequent tokens of the texts that it was trained on. */
export class Tokenizer {
  private readonly ids: Map<string, number>;

  private constructor(private readonly tokens: readonly string[]) {
    this.ids = new Map(tokens.map((token, id) => [token, id]));
  }

  /** Takes the `vocabSize - 2` tokens that occur in most texts; ties are broken alphabetically, so the result is reproducible. */
  static train(texts: Iterable<string>, vocabSize: number): Tokenizer {
    const counts = new Map<string, number>();
    for (const text of texts) {
      for (const token of new Set(tokenize(text))) counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    const byFrequency = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return new Tokenizer([...special, ...byFrequency.slice(0, vocabSize - special.length).map(([token]) => token)]);
  }

  /** A tokenizer with exactly this vocabulary, as `vocabulary` gave it. */
  static fromVocabulary(vocabulary: readonly string[]): Tokenizer {
    return new Tokenizer(vocabulary);
  }

  /** The tokens by id, the two special ones first. */
  get vocabulary(): readonly string[] {
    return this.tokens;
  }

  /** The ids of the first `length` tokens of `text`, padded at the end. */
  encode(text: string, length: number): BigInt64Array {
    const ids = new BigInt64Array(length).fill(BigInt(padId));
    tokenize(text)
      .slice(0, length)
      .forEach((token, position) => {
        ids[position] = BigInt(this.ids.get(token) ?? unknownId);
      });
    return ids;
  }

  /** The tokens of `ids` without padding, joined by blanks. */
  decode(ids: Iterable<bigint | number>): string {
    const tokens: string[] = [];
    for (const id of ids) {
      if (Number(id) !== padId) tokens.push(this.tokens[Number(id)] ?? special[unknownId] ?? '');
    }
    return tokens.join(' ');
  }
}
