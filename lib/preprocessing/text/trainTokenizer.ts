import { boolean, count, kind as kindOf, listOf, orNull, size, string } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { refusal } from '../tables/frame.js';
import { bertNormalized, bertWordsOf } from './bertWords.js';
import { byteCharacters, inByteCharacters, wordsOf } from './byteLevel.js';
import { withWordCounts } from './countWords.js';
import { learnMerges } from './learnMerges.js';
import type { TokenizerJson } from './tokenizerFile.js';

export interface TrainBpeOptions {
  /** Tokens at most, the 256 of single bytes among them; default 30,000. */
  vocabSize?: number;
  /** Pairs that are there less often are not merged; default 0. */
  minFrequency?: number;
  /** Tokens that have the first numbers and are never divided; default none. */
  specialTokens?: readonly string[];
  /** Whether a text's first word has a space before it, as the others have; default false. */
  addPrefixSpace?: boolean;
}

export interface TrainWordPieceOptions {
  /** Tokens at most; default 30,000. */
  vocabSize?: number;
  /** Pairs that are there less often are not merged; default 0. */
  minFrequency?: number;
  /** Tokens that have the first numbers and are never divided; default [PAD], [UNK], [CLS], [SEP] and [MASK]. */
  specialTokens?: readonly string[];
  /** The special token for words that cannot be divided into tokens; default '[UNK]'. */
  unknownToken?: string;
  /** Characters at most that are tokens, the most frequent ones; default null, no limit. */
  limitAlphabet?: number | null;
  /** Whether letters become lower case and lose their accents; default true. */
  lowercase?: boolean;
}

type Texts = Iterable<string> | AsyncIterable<string>;

const texts = kindOf<Texts>(
  'texts to iterate over',
  (value) => typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value),
);
const shared = { vocabSize: count, minFrequency: size, specialTokens: listOf(string) };
const bpeTakes = signature<TrainBpeOptions>({ texts }, { ...shared, addPrefixSpace: boolean });
const wordPieceTakes = signature<TrainWordPieceOptions>(
  { texts },
  { ...shared, unknownToken: string, limitAlphabet: orNull(count), lowercase: boolean },
);

const added = (content: string, id: number) => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false },
  ...{ normalized: false, special: true },
});

const vocabOf = (tokens: readonly string[]): Record<string, number> =>
  Object.fromEntries(tokens.map((token, id) => [token, id]));

function checkSpecials(who: string, specials: readonly string[], least: number, vocabSize: number): void {
  if (new Set(specials).size < specials.length || specials.includes('')) {
    throw refusal(who, `specialTokens must differ and not be empty, got ${show(specials)}`);
  }
  if (vocabSize < specials.length + least) {
    throw refusal(who, `vocabSize must be ${specials.length + least} or more here, for the special tokens${least > 0 ? ' and the 256 bytes' : ''}, got ${vocabSize}`); // prettier-ignore
  }
}

/**
 * Trains a byte-level BPE tokenizer, as GPT-2's: it divides any text, and gives each back as it was. What it gives is the content of a
 * `tokenizer.json`, for `Tokenizer` and `writeTokenizer`; of an async iterable, a promise of it. The merges are those of the trainer
 * of Hugging Face's tokenizers. Memory grows with the distinct words.
 *
 * @example
 * import { Tokenizer, trainBpe } from 'aiforge/preprocessing';
 * const content = trainBpe(['low lower lowest', 'new newer newest'], { vocabSize: 264, specialTokens: ['<|endoftext|>'] });
 * new Tokenizer(content).transform('lower newer').inputIds.shape; // [ 4 ]
 */
export function trainBpe(texts: AsyncIterable<string>, options?: TrainBpeOptions): Promise<TokenizerJson>;
export function trainBpe(texts: Iterable<string>, options?: TrainBpeOptions): TokenizerJson;
export function trainBpe(texts: Texts, options: TrainBpeOptions = {}): TokenizerJson | Promise<TokenizerJson> {
  bpeTakes.check('trainBpe', arguments);
  const { vocabSize = 30_000, minFrequency = 0, specialTokens = [], addPrefixSpace = false } = options;
  checkSpecials('trainBpe', specialTokens, 256, vocabSize);
  const divide = (text: string) => wordsOf(addPrefixSpace && !/^\p{White_Space}/u.test(text) ? ` ${text}` : text);
  return withWordCounts('trainBpe', texts, divide, (counts) => {
    const words = new Map([...counts].map(([word, times]) => [inByteCharacters(word), times]));
    const settings = {
      vocabSize,
      minFrequency,
      specialTokens,
      alphabet: byteCharacters,
      limitAlphabet: null,
      prefix: '',
    };
    const { tokens, merges } = learnMerges(words, settings);
    return {
      ...{ version: '1.0', truncation: null, padding: null, added_tokens: specialTokens.map(added), normalizer: null },
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: addPrefixSpace, trim_offsets: true, use_regex: true },
      post_processor: null,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
        ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab: vocabOf(tokens), merges },
      },
    };
  });
}

/**
 * Trains a WordPiece tokenizer, as BERT's: words become pieces, of which those within a word begin with ##. Where [CLS] and [SEP] are among
 * the special tokens, they stand around each text. What it gives is as that of `trainBpe`. Pairs are merged by how often they are there,
 * as by the trainer of Hugging Face's tokenizers, which gives pieces numbers in an order that differs from run to run; here it is that in
 * which words appear.
 *
 * @example
 * import { Tokenizer, trainWordPiece } from 'aiforge/preprocessing';
 * const tokenizer = new Tokenizer(trainWordPiece(['low lower lowest', 'new newer newest'], { vocabSize: 30 }));
 * tokenizer.inverseTransform(tokenizer.transform('Lower, newest')); // lower [UNK] newest
 */
export function trainWordPiece(texts: AsyncIterable<string>, options?: TrainWordPieceOptions): Promise<TokenizerJson>;
export function trainWordPiece(texts: Iterable<string>, options?: TrainWordPieceOptions): TokenizerJson;
export function trainWordPiece(
  texts: Texts,
  options: TrainWordPieceOptions = {},
): TokenizerJson | Promise<TokenizerJson> {
  wordPieceTakes.check('trainWordPiece', arguments);
  const { vocabSize = 30_000, minFrequency = 0, limitAlphabet = null, lowercase = true } = options;
  const { specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'], unknownToken = '[UNK]' } = options;
  checkSpecials('trainWordPiece', specialTokens, 0, vocabSize);
  if (!specialTokens.includes(unknownToken)) {
    throw refusal(
      'trainWordPiece',
      `unknownToken must be one of specialTokens (${specialTokens.join(', ')}), got ${show(unknownToken)}`,
    );
  }
  const divide = (text: string) => bertWordsOf(bertNormalized(text, lowercase));
  return withWordCounts('trainWordPiece', texts, divide, (words) => {
    const settings = { vocabSize, minFrequency, specialTokens, alphabet: [], limitAlphabet, prefix: '##' };
    const { tokens } = learnMerges(words, settings);
    return {
      ...{ version: '1.0', truncation: null, padding: null, added_tokens: specialTokens.map(added) },
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: around(tokens),
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        ...{ type: 'WordPiece', unk_token: unknownToken, continuing_subword_prefix: '##' },
        ...{ max_input_chars_per_word: 100, vocab: vocabOf(tokens) },
      },
    };
  });
}

/** BERT's [CLS] and [SEP] around a text, and between two; nothing where there are none. */
function around(tokens: readonly string[]): object | null {
  const [cls, sep] = [tokens.indexOf('[CLS]'), tokens.indexOf('[SEP]')];
  if (cls < 0 || sep < 0) return null;
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, sequence('B', 1), special('[SEP]', 1)],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [cls], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [sep], tokens: ['[SEP]'] },
    },
  };
}
