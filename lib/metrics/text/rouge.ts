import { AiforgeError } from '../../errors.js';
import { boolean, either, func, isListOf, kind, oneOf, string } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensor, zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { rougeKeys, scoreOf, type RougeKey, type RougeScore, type Tokenized } from './rougeScores.js';
import { referencesOf, refusal, wordsOf, type References, type Texts } from './texts.js';
import { show } from '../../show.js';

export interface ROUGEScoreOptions {
  /** There is no stemmer: only false is taken. Default: false. */
  useStemmer?: boolean;
  /** Makes a text ready for words to be found. Default: lower case, and a space for what is not a-z or 0-9. */
  normalizer?: (text: string) => string;
  /** Gives the words of a text. Default: what white space parts. */
  tokenizer?: (text: string) => readonly string[];
  /** Of several references that with the best F-measure counts, or the mean of all. Default: 'best'. */
  accumulate?: 'best' | 'avg';
  /** What is measured: 'rouge1' to 'rouge9', 'rougeL', 'rougeLsum'. Default: rouge1, rouge2, rougeL and rougeLsum. */
  rougeKeys?: RougeKey | readonly RougeKey[];
}

const keyKind = oneOf(...rougeKeys);
const keysKind = kind<readonly RougeKey[]>(
  'an array of one or more of them',
  (value) => isListOf(value, keyKind) && value.length > 0,
);
const takes = signature<ROUGEScoreOptions>(
  {},
  {
    useStemmer: boolean,
    normalizer: func(),
    tokenizer: func(),
    accumulate: oneOf('best', 'avg'),
    rougeKeys: either(keyKind, keysKind),
  },
);

/** The parts of a score, in the order of their columns in the state. */
const parts = ['fmeasure', 'precision', 'recall'] as const;

/**
 * ROUGE of summaries: how many of the words, runs of words (rouge1 to rouge9) or longest common subsequences (rougeL, and
 * rougeLsum over lines, which '\n' parts) they share with their references, as the mean of the texts' scores. Gives for each
 * key `<key>_fmeasure`, `<key>_precision` and `<key>_recall`, from 0 to 1, float64 []. A batch is a string and its
 * references, or for each of several strings one reference or an array of them. After Lin, "ROUGE: A Package for Automatic
 * Evaluation of Summaries" (2004); as `torchmetrics.text.ROUGEScore`.
 *
 * @example
 * import { ROUGEScore } from 'aiforge/metrics';
 * const rouge = new ROUGEScore({ rougeKeys: 'rouge1' });
 * rouge.update('My name is John', 'Is your name John');
 * rouge.compute().rouge1_fmeasure.item(); // 0.75
 *
 * @throws AiforgeError INVALID_ARGUMENT for useStemmer; from `update` for what are no strings, for another number of targets
 * than of predictions, and for a prediction without a reference.
 */
export class ROUGEScore extends Metric<[predictions: Texts, targets: References], Record<string, Tensor>> {
  override readonly higherIsBetter = true;
  readonly #keys: readonly RougeKey[];
  readonly #options: ROUGEScoreOptions;

  constructor(options: ROUGEScoreOptions = {}) {
    takes.check(new.target.name, arguments);
    const { rougeKeys = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'], useStemmer = false } = options;
    if (useStemmer) {
      throw new AiforgeError('INVALID_ARGUMENT', 'ROUGEScore: there is no stemmer for useStemmer: true; a tokenizer may give stems of words.'); // prettier-ignore
    }
    super();
    this.#options = options;
    this.#keys = [...new Set(typeof rougeKeys === 'string' ? [rougeKeys] : rougeKeys)];
    this.addState('sums', zeros([this.#keys.length, parts.length], { dtype: 'float64' }), 'sum');
    this.addState('count', zeros([], { dtype: 'int64' }), 'sum');
  }

  protected override accumulate(predictions: Texts, targets: References): void {
    const sums = this.#keys.map(() => parts.map(() => 0));
    const pairs = referencesOf(this.constructor.name, predictions, targets);
    for (const [prediction, references] of pairs) {
      const given = this.#tokenized(prediction);
      const wanted = references.map((text) => this.#tokenized(text));
      this.#keys.forEach((key, i) => {
        const score = this.#together(wanted.map((each) => scoreOf(key, given, each)));
        parts.forEach((part, j) => (sums[i]![j]! += score[part]));
      });
    }
    this.add('sums', tensor(sums, { dtype: 'float64' }));
    this.add('count', pairs.length);
  }

  protected override result(): Record<string, Tensor> {
    const means = this.state('sums').div(this.state('count'));
    const named = this.#keys.flatMap((key, i) =>
      parts.map((part, j) => [`${key}_${part}`, means.select(0, i).select(0, j)] as const),
    );
    return Object.fromEntries(named);
  }

  /** One score of those with each reference. */
  #together(scores: readonly RougeScore[]): RougeScore {
    if (this.#options.accumulate === 'avg') {
      const mean = (part: keyof RougeScore) => scores.reduce((sum, each) => sum + each[part], 0) / scores.length;
      return { fmeasure: mean('fmeasure'), precision: mean('precision'), recall: mean('recall') };
    }
    return scores.reduce((best, each) => (each.fmeasure > best.fmeasure ? each : best));
  }

  #tokenized(text: string): Tokenized {
    const lines = this.#keys.includes('rougeLsum') ? text.split('\n') : [];
    return { words: this.#wordsOf(text), lines: lines.map((line) => this.#wordsOf(line)) };
  }

  #wordsOf(text: string): readonly string[] {
    const { normalizer = normalized, tokenizer = wordsOf } = this.#options;
    const words: unknown = tokenizer(normalizer(text));
    if (isListOf(words, string)) return words.filter((word) => word !== '');
    throw refusal('ROUGEScore', 'the tokenizer must give an array of strings', show(words));
  }
}

const normalized = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, ' ');
