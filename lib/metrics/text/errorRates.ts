import { nothing } from '../../signature.js';
import { zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { editDistance } from './sequences.js';
import { charactersOf, pairsOf, wordsOf, type Texts } from './texts.js';

/** How many tokens must be inserted, deleted or replaced, as a share of the targets' tokens. */
abstract class ErrorRate extends Metric<[predictions: Texts, targets: Texts]> {
  override readonly higherIsBetter = false;

  constructor() {
    super();
    this.addState('errors', zeros([], { dtype: 'int64' }), 'sum');
    this.addState('total', zeros([], { dtype: 'int64' }), 'sum');
  }

  protected abstract tokens(text: string): string[];

  protected override accumulate(predictions: Texts, targets: Texts): void {
    let [errors, total] = [0, 0];
    for (const [prediction, target] of pairsOf(this.constructor.name, predictions, targets)) {
      const wanted = this.tokens(target);
      errors += editDistance(this.tokens(prediction), wanted);
      total += wanted.length;
    }
    this.add('errors', errors);
    this.add('total', total);
  }

  protected override result(): Tensor {
    return this.state('errors').to('float64').div(this.state('total'));
  }
}

/**
 * The character error rate of transcripts: the characters (code points) to insert, delete or replace until they are their
 * targets, for each character of the targets; float64 [], 0 without errors, and over 1 where more is wrong than there is. A
 * batch is a string and its target, or as many strings as targets. As `torchmetrics.text.CharErrorRate`.
 *
 * @example
 * import { CharErrorRate } from 'aiforge/metrics';
 * new CharErrorRate().forward(['kate'], ['late']).item(); // 0.25
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for what are no strings, and for more of the one than of the other.
 */
export class CharErrorRate extends ErrorRate {
  constructor() {
    nothing.check(new.target.name, arguments);
    super();
  }

  protected override tokens(text: string): string[] {
    return charactersOf(text);
  }
}

/**
 * The word error rate of transcripts: the words to insert, delete or replace until they are their targets, for each word of
 * the targets; float64 [], 0 without errors. White space parts words. A batch is a string and its target, or as many strings
 * as targets. As `torchmetrics.text.WordErrorRate`.
 *
 * @example
 * import { WordErrorRate } from 'aiforge/metrics';
 * new WordErrorRate().forward(['this is one'], ['this is the one']).item(); // 0.25
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for what are no strings, and for more of the one than of the other.
 */
export class WordErrorRate extends ErrorRate {
  constructor() {
    nothing.check(new.target.name, arguments);
    super();
  }

  protected override tokens(text: string): string[] {
    return wordsOf(text);
  }
}
