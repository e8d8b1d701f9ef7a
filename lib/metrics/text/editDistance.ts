import { oneOf, size } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensor } from '../../tensor/index.js';
import { ScoresMetric, type ScoreReduction } from '../scores.js';
import { editDistance } from './sequences.js';
import { charactersOf, pairsOf, type Texts } from './texts.js';

export interface EditDistanceOptions {
  /** What it costs to replace a character; to insert or delete one costs 1. Default: 1. */
  substitutionCost?: number;
  /** The texts' mean, their sum, or all distances, [texts]. Default: 'mean'. */
  reduction?: ScoreReduction;
}

const takes = signature<EditDistanceOptions>({}, { substitutionCost: size, reduction: oneOf('mean', 'sum', 'none') });

/**
 * Levenshtein's distance of texts from their targets, in characters (code points); float64 []. A batch is a string and its
 * target, or as many strings as targets. As `torchmetrics.text.EditDistance`.
 *
 * @example
 * import { EditDistance } from 'aiforge/metrics';
 * new EditDistance().forward(['rain', 'lnaguaeg'], ['shine', 'language']).item(); // 3.5
 *
 * @throws AiforgeError INVALID_ARGUMENT from `update` for what are no strings, and for more of the one than of the other.
 */
export class EditDistance extends ScoresMetric<[predictions: Texts, targets: Texts]> {
  override readonly higherIsBetter = false;
  readonly #substitutionCost: number;

  constructor({ substitutionCost = 1, reduction = 'mean' }: EditDistanceOptions = {}) {
    takes.check(new.target.name, arguments);
    super(reduction);
    this.#substitutionCost = substitutionCost;
  }

  protected override accumulate(predictions: Texts, targets: Texts): void {
    const distances = pairsOf(this.constructor.name, predictions, targets).map(([prediction, target]) =>
      editDistance(charactersOf(prediction), charactersOf(target), this.#substitutionCost),
    );
    this.take(tensor(distances, { dtype: 'float64' }));
  }
}
