import { z } from 'zod';

import { BasePreprocessor } from '../../core/basePreprocessor.js';
import { anything, count, isListOf, listOf, optional, orNull, string } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { fromTypedArray, Tensor } from '../../tensor/index.js';
import { byCodePoints } from '../categories/categories.js';
import { refusal } from '../tables/frame.js';
import { damaged, parsed } from '../tables/state.js';

export interface VocabularyOptions {
  /** Tokens that are there less often are unknown; default 1. */
  minFreq?: number;
  /** How many tokens it has at most, `specials` among them; default null, no limit. */
  maxTokens?: number | null;
  /** Tokens that have the first numbers, whether they are there or not; default ['<pad>', '<unk>']. */
  specials?: readonly string[];
  /** The one of `specials` that stands for tokens that are not there; null makes them an error. Default '<unk>'. */
  unknown?: string | null;
}

const takes = signature<VocabularyOptions>(
  {},
  { minFreq: count, maxTokens: orNull(count), specials: listOf(string), unknown: orNull(string) },
);
const fitTakes = signature({ items: anything, args: optional(anything) });

const schema = z.strictObject({
  preprocessor: z.literal('Vocabulary'),
  version: z.literal(1),
  options: z.unknown(),
  tokens: z.array(z.string()),
});

/**
 * Numbers of tokens: those that are most frequent in fit first, those that are as frequent in the order of their code points. Items are
 * lists of tokens; what becomes of them is int64 [tokens]. As `torchtext.vocab.build_vocab_from_iterator`.
 *
 * @example
 * import { Vocabulary } from 'aiforge/preprocessing';
 * const vocabulary = new Vocabulary();
 * vocabulary.fit(['to be or not to be'.split(' ')]);
 * vocabulary.tokens; // [ '<pad>', '<unk>', 'be', 'to', 'not', 'or' ]
 * vocabulary.transform(['to', 'do']).tolist(); // [ 3, 1 ]
 */
export class Vocabulary extends BasePreprocessor<readonly string[], Tensor> {
  readonly #options: { minFreq: number; maxTokens: number | null; specials: string[]; unknown: string | null };
  #tokens: readonly string[] | null = null;
  #ids = new Map<string, number>();

  constructor(options: VocabularyOptions = {}) {
    takes.check('Vocabulary', arguments);
    super();
    const { minFreq = 1, maxTokens = null, specials = ['<pad>', '<unk>'], unknown = '<unk>' } = options;
    if (new Set(specials).size < specials.length)
      throw refusal('Vocabulary', `specials must differ, got ${show(specials)}`);
    if (unknown !== null && !specials.includes(unknown)) {
      throw refusal(
        'Vocabulary',
        `unknown must be one of specials (${specials.join(', ')}) or null, got ${show(unknown)}`,
      );
    }
    if (maxTokens !== null && maxTokens < specials.length) {
      throw refusal(
        'Vocabulary',
        `maxTokens must be ${specials.length} or more, as many as there are specials, got ${maxTokens}`,
      );
    }
    this.#options = { minFreq, maxTokens, specials: [...specials], unknown };
  }

  /** All tokens, each at the place of its number. */
  get tokens(): readonly string[] {
    return this.#known();
  }

  /** Counts the tokens of lists. Of an async iterable the result is a promise. Memory grows with the distinct tokens. */
  override fit(items: AsyncIterable<readonly string[]>, args?: Record<string, unknown>): Promise<void>;
  override fit(items: Iterable<readonly string[]>, args?: Record<string, unknown>): void;
  override fit(
    items: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
    args?: Record<string, unknown>,
  ): void | Promise<void>;
  fit(
    items: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
    args: Record<string, unknown> = {},
  ): void | Promise<void> {
    fitTakes.check('Vocabulary.fit', [items, args]);
    const names = Object.keys(args);
    if (names.length > 0) throw refusal('Vocabulary.fit', `it takes no arguments, got ${names.join(', ')}`);
    if (typeof items !== 'object' || items === null || !(Symbol.iterator in items || Symbol.asyncIterator in items)) {
      throw refusal('Vocabulary.fit', `expected lists of tokens to iterate over, got ${show(items)}`);
    }
    const counts = new Map<string, number>();
    if (Symbol.asyncIterator in items) return this.#fitLater(items, counts);
    for (const tokens of items) add(counts, tokens);
    this.#take(this.#chosen(counts));
  }

  /** The numbers of tokens, int64 [tokens]. */
  override transform(item: readonly string[]): Tensor {
    this.#known();
    checkTokens('Vocabulary.transform', item);
    const unknown = this.#options.unknown === null ? undefined : this.#ids.get(this.#options.unknown);
    const ids = Int32Array.from(item, (token) => {
      const id = this.#ids.get(token) ?? unknown;
      if (id === undefined)
        throw refusal('Vocabulary.transform', `there is no token ${show(token)}, and unknown is null`);
      return id;
    });
    return fromTypedArray(ids).to('int64');
  }

  /** The tokens of numbers. */
  override inverseTransform(sample: Tensor): string[] {
    const tokens = this.#known();
    if (!Tensor.isTensor(sample) || sample.dim() !== 1) {
      throw refusal('Vocabulary.inverseTransform', `expected a tensor [tokens], got ${show(sample)}`);
    }
    return sample.tolist<number[]>().map((id) => {
      const token = tokens[Number(id)];
      if (token !== undefined) return token;
      throw refusal('Vocabulary.inverseTransform', `numbers go from 0 to ${tokens.length - 1}, got ${show(id)}`);
    });
  }

  override state(): unknown {
    return { preprocessor: 'Vocabulary', version: 1, options: this.#options, tokens: [...this.#known()] };
  }

  /** Takes what `state` gave. Throws FILE_INVALID for anything else, and for the state of one with other options. */
  override restore(state: unknown): void {
    const { options, tokens } = parsed('Vocabulary', schema, state);
    const [own, other] = [JSON.stringify(this.#options), JSON.stringify(options)];
    if (own !== other) throw damaged('Vocabulary', `it was made with the options ${other}, and here they are ${own}`);
    const { specials } = this.#options;
    if (new Set(tokens).size < tokens.length) throw damaged('Vocabulary', 'tokens must differ');
    if (specials.some((special, id) => tokens[id] !== special)) {
      throw damaged('Vocabulary', `tokens must begin with ${specials.join(', ')}`);
    }
    this.#take(tokens);
  }

  async #fitLater(items: AsyncIterable<readonly string[]>, counts: Map<string, number>): Promise<void> {
    for await (const tokens of items) add(counts, tokens);
    this.#take(this.#chosen(counts));
  }

  #chosen(counts: ReadonlyMap<string, number>): string[] {
    const { minFreq, maxTokens, specials } = this.#options;
    const special = new Set(specials);
    const frequent = [...counts].filter(([token, times]) => times >= minFreq && !special.has(token));
    frequent.sort(([a, times], [b, others]) => others - times || byCodePoints(a, b));
    return [...specials, ...frequent.map(([token]) => token)].slice(0, maxTokens ?? Infinity);
  }

  #take(tokens: string[]): void {
    this.#tokens = Object.freeze(tokens);
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
  }

  #known(): readonly string[] {
    if (this.#tokens === null) throw refusal('Vocabulary', 'it has learnt nothing yet: call fit or load before');
    return this.#tokens;
  }
}

function checkTokens(who: string, tokens: unknown): asserts tokens is string[] {
  if (isListOf(tokens, string)) return;
  throw refusal(
    who,
    `an item must be an array of tokens, which are strings, got ${show(tokens)}${typeof tokens === 'string' ? ': split it' : ''}`,
  );
}

function add(counts: Map<string, number>, tokens: readonly string[]): void {
  checkTokens('Vocabulary.fit', tokens);
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
}
