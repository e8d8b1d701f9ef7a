import { z } from 'zod';

import { BasePreprocessor } from '../../core/basePreprocessor.js';
import { boolean, count, kind as kindOf, listOf, oneOf, orNull, string } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { scope, Tensor } from '../../tensor/index.js';
import { refusal } from '../tables/frame.js';
import { damaged, parsed } from '../tables/state.js';
import { padded, side, truncated, type Encoding, type Side } from './padSequences.js';
import {
  invalid,
  readTokenizerFile,
  tokenizerContent,
  type TokenizerContent,
  type TokenizerJson,
} from './tokenizerFile.js';
import { libraryTokenizer, type LibraryTokenizer } from './tokenizerLibrary.js';

export interface TokenizerOptions {
  /** Whether what the file says is put around a text, such as [CLS] and [SEP]; default true. */
  addSpecialTokens?: boolean;
  /** Tokens of a text at most, special ones among them; null for no limit; by default what the file says. */
  maxLength?: number | null;
  /** Where longer texts are cut; by default what the file says, else 'right'. */
  truncationSide?: Side;
  /** Texts of a batch are padded to the longest, or every text to `maxLength`; null for not at all; by default what the file says. */
  padding?: 'longest' | 'max_length' | null;
  /** Where padding stands; by default what the file says, else 'right'. */
  paddingSide?: Side;
  /** The token that padding is; by default what the file says. */
  padToken?: string;
}

const takes = signature<TokenizerOptions>(
  {
    source: kindOf<string | TokenizerJson>(
      'the path of a tokenizer.json, or its content as an object',
      (value) => typeof value === 'string' || isPlainObject(value),
    ),
  },
  {
    addSpecialTokens: boolean,
    maxLength: orNull(count),
    truncationSide: side,
    padding: orNull(oneOf('longest', 'max_length')),
    paddingSide: side,
    padToken: string,
  },
);
const textTakes = signature({ text: string });
const batchTakes = signature({ texts: listOf(string) });
const tokenTakes = signature({ token: string });

const stateSchema = z.strictObject({
  preprocessor: z.literal('Tokenizer'),
  version: z.literal(1),
  options: z.unknown(),
  tokenizer: z.unknown(),
});

interface Padding {
  /** A text by itself is padded to this; null for not at all. */
  length: number | null;
  multipleOf: number;
  id: number;
}

/**
 * Texts to numbers of tokens, by a `tokenizer.json` of Hugging Face's tokenizers, through the package `@huggingface/tokenizers`. The
 * file's own truncation and padding are heeded as Python's `Tokenizer` does; options go before them. It learns nothing from items: `trainBpe` and
 * `trainWordPiece` make tokenizers. Its state has the whole of the file.
 *
 * @example
 * import { Tokenizer, trainBpe } from 'aiforge/preprocessing';
 * const tokenizer = new Tokenizer(trainBpe(['low lower lowest'], { vocabSize: 262 }));
 * tokenizer.inverseTransform(tokenizer.transform('lower')); // lower
 */
export class Tokenizer extends BasePreprocessor<string, Encoding> {
  readonly #options: TokenizerOptions;
  #content!: TokenizerContent;
  #tokenizer!: LibraryTokenizer;
  #limit: { length: number; side: Side } | null = null;
  #padding: Padding | null = null;
  #paddingSide: Side = 'right';
  /** What the file puts around a text. */
  #around: readonly number[] = [];

  constructor(source: string | TokenizerJson, options: TokenizerOptions = {}) {
    takes.check('Tokenizer', arguments);
    super();
    this.#options = { ...options };
    const [name, data] =
      typeof source === 'string' ? [source, readTokenizerFile(source)] : ['The content given', source];
    this.#use(name, data);
  }

  /** How many tokens there are, those among them that were added to the model's. */
  get vocabSize(): number {
    return this.#tokenizer.get_vocab(true).size;
  }

  /** The number of a token; undefined where there is none. */
  tokenToId(token: string): number | undefined {
    tokenTakes.check('tokenToId', arguments);
    return this.#tokenizer.token_to_id(token);
  }

  /** It learns nothing from items; there are no `args`. */
  override fit(items: Iterable<string> | AsyncIterable<string>, args: Record<string, unknown> = {}): void {
    const names = Object.keys(args);
    if (names.length > 0) throw refusal('Tokenizer.fit', `it takes no arguments, got ${names.join(', ')}`);
    if (typeof items !== 'object' || items === null)
      throw refusal('Tokenizer.fit', `expected items, got ${show(items)}`);
  }

  /** The tokens of a text, int64 [tokens]. */
  override transform(item: string): Encoding {
    textTakes.check('Tokenizer.transform', arguments);
    const ids = this.#idsOf(item);
    const length = this.#padding?.length ?? ids.length;
    return scope(() => {
      const made = padded(
        [ids],
        Math.max(this.#rounded(length), ids.length),
        this.#padding?.id ?? 0,
        this.#paddingSide,
      );
      return { inputIds: made.inputIds.squeeze(0), attentionMask: made.attentionMask.squeeze(0) };
    });
  }

  /** The tokens of texts, int64 [texts, tokens], padded to one length. Throws where nothing says what padding is. */
  encodeBatch(texts: readonly string[]): Encoding {
    batchTakes.check('Tokenizer.encodeBatch', arguments);
    const all = texts.map((text) => this.#idsOf(text));
    const longest = all.reduce((most, { length }) => Math.max(most, length), 0);
    const isUneven = all.some(({ length }) => length < longest);
    if (isUneven && this.#padding === null) {
      throw refusal('Tokenizer.encodeBatch', "the texts have different numbers of tokens, and the file does not say what padding is: give padding: 'longest' and padToken"); // prettier-ignore
    }
    const length = this.#rounded(Math.max(this.#padding?.length ?? longest, longest));
    return scope(() => padded(all, length, this.#padding?.id ?? 0, this.#paddingSide));
  }

  /** The text of tokens, without special tokens and padding, as far as the tokens tell it. */
  override inverseTransform({ inputIds, attentionMask }: Encoding): string {
    if (!Tensor.isTensor(inputIds) || inputIds.dim() !== 1) {
      throw refusal('Tokenizer.inverseTransform', `expected { inputIds: tensor [tokens] }, got ${show(inputIds)}`);
    }
    const mask = Tensor.isTensor(attentionMask) ? attentionMask.tolist<number[]>() : null;
    const ids = inputIds
      .tolist<number[]>()
      .map(Number)
      .filter((_, i) => mask === null || Number(mask[i]) !== 0);
    const unknown = ids.find((id) => this.#tokenizer.id_to_token(id) === undefined);
    if (unknown !== undefined)
      throw refusal('Tokenizer.inverseTransform', `there is no token of the number ${unknown}`);
    // A text without tokens is one to the package, too, but not to all of its decoders.
    if (ids.length === 0) return '';
    return this.#tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }

  override state(): unknown {
    return { preprocessor: 'Tokenizer', version: 1, options: this.#options, tokenizer: this.#content };
  }

  /** Takes what `state` gave, with the tokenizer in it. Throws FILE_INVALID for anything else, and for other options. */
  override restore(state: unknown): void {
    const { options, tokenizer } = parsed('Tokenizer', stateSchema, state);
    const [own, other] = [JSON.stringify(this.#options), JSON.stringify(options)];
    if (own !== other) throw damaged('Tokenizer', `it was made with the options ${other}, and here they are ${own}`);
    this.#use('The state', tokenizer);
  }

  #use(source: string, data: unknown): void {
    const content = tokenizerContent(source, data);
    let tokenizer: LibraryTokenizer;
    let around: number[];
    try {
      tokenizer = libraryTokenizer(content);
      around = tokenizer.encode('', { add_special_tokens: this.#options.addSpecialTokens ?? true }).ids;
    } catch (cause) {
      if ((cause as { code?: unknown }).code === 'MISSING_DEPENDENCY') throw cause;
      throw invalid(source, (cause as Error).message, cause);
    }
    const limit = this.#limitOf(content, around.length);
    const padding = this.#paddingOf(content, tokenizer, limit?.length ?? null);
    this.#paddingSide = this.#options.paddingSide ?? sideOf(content.padding?.direction);
    [this.#content, this.#tokenizer, this.#around, this.#limit, this.#padding] = [
      content,
      tokenizer,
      around,
      limit,
      padding,
    ];
  }

  #limitOf({ truncation }: TokenizerContent, around: number): { length: number; side: Side } | null {
    const { maxLength = truncation?.max_length ?? null, truncationSide } = this.#options;
    if (maxLength === null) return null;
    if (maxLength < around) {
      throw refusal(
        'Tokenizer',
        `maxLength is ${maxLength}, and there are ${around} special tokens around each text: make it larger`,
      );
    }
    return { length: maxLength, side: truncationSide ?? sideOf(truncation?.direction) };
  }

  #paddingOf({ padding: own }: TokenizerContent, tokenizer: LibraryTokenizer, limit: number | null): Padding | null {
    const { padding, padToken } = this.#options;
    if (padding === null || (padding === undefined && !own && padToken === undefined)) return null;
    const id = padToken === undefined ? own?.pad_id : tokenizer.token_to_id(padToken);
    if (id === undefined) {
      const problem =
        padToken === undefined
          ? 'the file does not say what padding is: give padToken'
          : `there is no token ${show(padToken)}`;
      throw refusal('Tokenizer', problem);
    }
    if (padding === 'max_length' && limit === null) throw refusal('Tokenizer', "padding: 'max_length' needs maxLength");
    const fixed = typeof own?.strategy === 'object' ? own.strategy.Fixed : null;
    const length = padding === undefined ? fixed : padding === 'max_length' ? limit : null;
    return { length, multipleOf: own?.pad_to_multiple_of ?? 1, id };
  }

  #rounded(length: number): number {
    const multiple = this.#padding?.multipleOf ?? 1;
    return Math.ceil(length / multiple) * multiple;
  }

  #idsOf(text: string): readonly number[] {
    const add_special_tokens = this.#options.addSpecialTokens ?? true;
    const { ids } = this.#tokenizer.encode(text, { add_special_tokens });
    const limit = this.#limit;
    if (limit === null || ids.length <= limit.length) return ids;
    if (this.#around.length === 0) return truncated(ids, limit.length, limit.side);
    // The text is cut, and not what stands around it.
    const own = this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
    const before = startOf(ids, own);
    const kept = truncated(own, limit.length - this.#around.length, limit.side);
    return [...ids.slice(0, before), ...kept, ...ids.slice(before + own.length)];
  }
}

const sideOf = (direction: 'Left' | 'Right' | undefined): Side => (direction === 'Left' ? 'left' : 'right');

/** Where a text's own tokens begin among those with special ones around them. */
function startOf(all: readonly number[], own: readonly number[]): number {
  for (let start = 0; start + own.length <= all.length; ++start) {
    if (own.every((id, i) => id === all[start + i])) return start;
  }
  throw refusal(
    'Tokenizer',
    'the file puts special tokens into the text, so that it cannot be cut: give maxLength: null',
  );
}
