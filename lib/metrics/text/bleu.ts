import { AiforgeError } from '../../errors.js';
import { boolean, count, listOf, notNegative } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { tensor, zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { ngrams, overlap, type Counts } from './ngrams.js';
import { referencesOf, wordsOf, type References, type Texts } from './texts.js';

export interface BLEUScoreOptions {
  /** The longest runs of words that are compared. Default: 4. */
  nGram?: number;
  /** Whether each length but the first has one run more, found and given, after Lin and Och (2004). Default: false. */
  smooth?: boolean;
  /** The weight of each length, [nGram]. Default: 1 / nGram each. */
  weights?: readonly number[];
}

const takes = signature<BLEUScoreOptions>({}, { nGram: count, smooth: boolean, weights: listOf(notNegative) });

/**
 * BLEU of a whole corpus: how many runs of words of translations are in one of their references, and whether they are as
 * long; from 0 to 1, float64 []. White space parts words. A batch is a string and its references, or for each of several
 * strings one reference or an array of them. After Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine
 * Translation" (2002); as `torchmetrics.text.BLEUScore`.
 *
 * @example
 * import { BLEUScore } from 'aiforge/metrics';
 * const bleu = new BLEUScore({ nGram: 2 });
 * bleu.update(['the cat is on the mat'], [['there is a cat on the mat', 'a cat is on the mat']]);
 * Number(bleu.compute().item().toFixed(4)); // 0.8165
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than nGram weights; from `update` for what are no strings, for another
 * number of targets than of predictions, and for a prediction without a reference.
 */
export class BLEUScore extends Metric<[predictions: Texts, targets: References]> {
  override readonly higherIsBetter = true;
  readonly #nGram: number;
  readonly #smooth: boolean;
  readonly #weights: readonly number[];

  constructor({ nGram = 4, smooth = false, weights }: BLEUScoreOptions = {}) {
    takes.check(new.target.name, arguments);
    if (weights !== undefined && weights.length !== nGram) {
      throw new AiforgeError('INVALID_ARGUMENT', `BLEUScore: weights must be nGram numbers, ${nGram}, got ${show(weights)}.`); // prettier-ignore
    }
    super();
    this.#nGram = nGram;
    this.#smooth = smooth;
    this.#weights = weights === undefined ? new Array<number>(nGram).fill(1 / nGram) : [...weights];
    this.addState('found', zeros([nGram], { dtype: 'int64' }), 'sum');
    this.addState('given', zeros([nGram], { dtype: 'int64' }), 'sum');
    this.addState('words', zeros([], { dtype: 'int64' }), 'sum');
    this.addState('wantedWords', zeros([], { dtype: 'int64' }), 'sum');
  }

  override get stateKey(): string {
    return `BLEUScore ${this.#nGram}`;
  }

  protected override accumulate(predictions: Texts, targets: References): void {
    const [found, given] = [new Array<number>(this.#nGram).fill(0), new Array<number>(this.#nGram).fill(0)];
    let [words, wantedWords] = [0, 0];
    for (const [prediction, references] of referencesOf(this.constructor.name, predictions, targets)) {
      const tokens = wordsOf(prediction);
      const wanted = references.map(wordsOf);
      words += tokens.length;
      wantedWords += nearestLength(tokens.length, wanted);
      for (let i = 0; i < this.#nGram; ++i) {
        given[i]! += Math.max(tokens.length - i, 0);
        found[i]! += overlap(ngrams(tokens, i + 1), mostOf(wanted.map((each) => ngrams(each, i + 1))));
      }
    }
    this.add('found', tensor(found, { dtype: 'int64' }));
    this.add('given', tensor(given, { dtype: 'int64' }));
    this.add('words', words);
    this.add('wantedWords', wantedWords);
  }

  protected override result(): Tensor {
    const [found, given] = [this.state('found').to('float64'), this.state('given').to('float64')];
    const more = this.#smooth ? tensor(this.#weights.map((_, i) => (i === 0 ? 0 : 1))).to(found.device) : 0;
    const precisions = found.add(more).div(given.add(more));
    const weights = tensor([...this.#weights], { dtype: 'float64', device: found.device });
    const ratio = this.state('wantedWords').to('float64').div(this.state('words'));
    const brevity = ratio.neg().add(1).clamp({ max: 0 });
    const score = precisions.log().mul(weights).sum().add(brevity).exp();
    // No run of one length found is a score of 0, smoothed or not.
    return score.maskedFill(found.min().eq(0), 0);
  }
}

/** The length of the reference nearest to that of a text; of two as near the first. */
function nearestLength(length: number, references: readonly (readonly string[])[]): number {
  const apart = references.map((each) => Math.abs(each.length - length));
  return references[apart.indexOf(Math.min(...apart))]!.length;
}

/** The most that each run occurs in one text. */
function mostOf(texts: readonly Counts[]): Counts {
  const most: Counts = new Map();
  for (const counts of texts) {
    for (const [key, times] of counts) most.set(key, Math.max(times, most.get(key) ?? 0));
  }
  return most;
}
