import { AiforgeError } from '../../errors.js';
import { whole } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { Tensor, zeros } from '../../tensor/index.js';
import { Metric } from '../metric.js';

export interface PerplexityOptions {
  /** The target that is no token and does not count, such as that of padding. Default: all count. */
  ignoreIndex?: number;
}

const takes = signature<PerplexityOptions>({}, { ignoreIndex: whole });

/**
 * The perplexity of a language model: the exponential of the mean negative log probability of the tokens; float64 [].
 * Predictions are logits, float32 [batch, sequence, vocabulary], and targets tokens, int64 [batch, sequence]. As
 * `torchmetrics.text.Perplexity`.
 *
 * @example
 * import { tensor, zeros } from 'aiforge';
 * import { Perplexity } from 'aiforge/metrics';
 * const perplexity = new Perplexity({ ignoreIndex: -100 });
 * perplexity.update(zeros([1, 3, 4]), tensor([[2, 0, -100]]));
 * Number(perplexity.compute().item().toFixed(4)); // 4.0000
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for other shapes and dtypes, and for tokens beyond the vocabulary.
 */
export class Perplexity extends Metric {
  override readonly higherIsBetter = false;
  readonly #ignoreIndex: number | undefined;

  constructor({ ignoreIndex }: PerplexityOptions = {}) {
    takes.check(new.target.name, arguments);
    super();
    this.#ignoreIndex = ignoreIndex;
    this.addState('surprise', zeros([], { dtype: 'float64' }), 'sum');
    this.addState('count', zeros([], { dtype: 'int64' }), 'sum');
  }

  override get stateKey(): string {
    return `Perplexity ${this.#ignoreIndex}`;
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    check(predictions, targets);
    const counts = this.#ignoreIndex === undefined ? targets.eq(targets) : targets.ne(this.#ignoreIndex);
    const tokens = targets.where(counts, 0);
    this.#checkTokens(tokens, predictions.size(2));
    // Half precision has too few digits for sums over a vocabulary.
    const logits = predictions.dtype === 'float64' ? predictions : predictions.to('float32');
    const chosen = logits.gather(2, tokens.unsqueeze(2)).squeeze(2).to('float64');
    const surprise = logits.logsumexp(2).to('float64').sub(chosen);
    this.add('surprise', surprise.where(counts, 0).sum());
    this.add('count', counts.sum());
  }

  protected override result(): Tensor {
    return this.state('surprise').div(this.state('count')).exp();
  }

  // Read back before it is used: a token beyond the vocabulary breaks a GPU for the process.
  #checkTokens(tokens: Tensor, vocabulary: number): void {
    const wrong = tokens.lt(0).logicalOr(tokens.ge(vocabulary));
    if (!wrong.any().item()) return;
    const ignored = this.#ignoreIndex === undefined ? '; ignoreIndex leaves one out' : ` or ${this.#ignoreIndex}`;
    const got = tokens.maskedSelect(wrong).select(0, 0).item();
    throw refusal(`targets must be tokens from 0 to ${vocabulary - 1}${ignored}`, String(got));
  }
}

function check(predictions: unknown, targets: unknown): void {
  if (!Tensor.isTensor(predictions) || predictions.ndim !== 3 || !predictions.isFloatingPoint()) {
    throw refusal(
      'predictions must be floating-point logits of shape [batch, sequence, vocabulary]',
      show(predictions),
    );
  }
  const [batch, sequence] = predictions.shape;
  if (!Tensor.isTensor(targets) || targets.dtype !== 'int64' || String(targets.shape) !== `${batch},${sequence}`) {
    throw refusal(`targets must be int64 [${batch}, ${sequence}], a token for each place`, show(targets));
  }
  if (predictions.device !== targets.device) {
    throw refusal('predictions and targets must be on one device', `${predictions.device} and ${targets.device}`);
  }
}

const refusal = (expected: string, got: string) =>
  new AiforgeError('INVALID_ARGUMENT', `Perplexity: ${expected}, got ${got}.`);
