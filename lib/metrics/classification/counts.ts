import { stack, zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { weightedMean } from './averages.js';
import type { CountOptions, ZeroDivisionOptions } from './countOptions.js';
import { oneOfSeveral, refusal, yesOrNo, type Labels } from './labels.js';
import { outputsOf, type Average } from './tasks.js';

/** How often each class or label was rightly and wrongly said and denied, float64 [..., classes]. */
export interface Counts {
  truePositives: Tensor;
  falsePositives: Tensor;
  trueNegatives: Tensor;
  falseNegatives: Tensor;
}

/** A metric whose value follows from the counts of right and wrong predictions of each class or label. */
export abstract class CountingMetric extends Metric {
  override readonly higherIsBetter = true;
  readonly #options: CountOptions & ZeroDivisionOptions;
  readonly #average: Average;

  constructor(options: CountOptions & ZeroDivisionOptions, average: Average = 'micro') {
    super();
    this.#options = options;
    // A binary task has one value.
    this.#average = options.task === 'binary' ? 'micro' : (options.average ?? average);
    if (this.topK > outputsOf(options) && options.task === 'multiclass') {
      throw refusal(new.target.name, `topK must be at most numClasses ${options.numClasses}, got ${this.topK}`);
    }
    // A row each of true positives, false positives, true negatives and false negatives.
    if (this.#isSamplewise) this.addState('counts', [], 'cat');
    else this.addState('counts', zeros([4, outputsOf(options)], { dtype: 'int64' }), 'sum');
  }

  /** The value of each class or label, of whatever shape the counts are. */
  protected abstract score(counts: Counts): Tensor;

  /** @internal */
  override get stateKey(): string {
    const { task, ignoreIndex, validateArgs = true } = this.#options;
    const threshold = 'threshold' in this.#options ? this.#options.threshold : undefined;
    const isOne = this.#isSamplewise && this.#average === 'micro';
    const shape = [outputsOf(this.#options), this.topK, threshold ?? 0.5, this.#isSamplewise, isOne];
    return JSON.stringify(['counts', task, ignoreIndex, validateArgs, ...shape]);
  }

  /** The value of 0/0. */
  protected get ofNothing(): number {
    return this.#options.zeroDivision ?? 0;
  }

  protected get topK(): number {
    return 'topK' in this.#options ? (this.#options.topK ?? 1) : 1;
  }

  /** The classes that a macro average is of: those that occur. */
  protected occurring({ truePositives, falsePositives, falseNegatives }: Counts): Tensor {
    return truePositives.add(falsePositives).add(falseNegatives).ne(0);
  }

  /** The four counts, float64 [..., 4, classes]; a copy. */
  protected counts(): Tensor {
    return this.state('counts').to('float64');
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    const [name, options] = [this.constructor.name, this.#options];
    const isMulticlass = options.task === 'multiclass';
    const labels = isMulticlass
      ? oneOfSeveral(name, predictions, targets, options)
      : yesOrNo(name, predictions, targets, options);
    if (this.#isSamplewise) this.#checkPositions(targets);
    const together = this.#isSamplewise ? labels : asOneSample(labels);
    const counts = isMulticlass ? countClasses(together, options.numClasses) : countLabels(together);
    if (!this.#isSamplewise) this.add('counts', counts.squeeze(0));
    else this.append('counts', this.#average === 'micro' ? counts.sum(-1, true) : counts);
  }

  protected override result(): Tensor {
    const isMicro = this.#average === 'micro';
    const rows = isMicro ? this.counts().sum(-1).unbind(-1) : this.counts().unbind(-2);
    const [truePositives, falsePositives, trueNegatives, falseNegatives] = rows as [Tensor, Tensor, Tensor, Tensor];
    const counts = { truePositives, falsePositives, trueNegatives, falseNegatives };
    const scores = this.score(counts);
    if (isMicro || this.#average === 'none') return scores;
    if (this.#average === 'weighted') return weightedMean(scores, truePositives.add(falseNegatives));
    return this.#options.task === 'multiclass' ? weightedMean(scores, this.occurring(counts)) : scores.mean(-1);
  }

  get #isSamplewise(): boolean {
    return this.#options.multidimAverage === 'samplewise';
  }

  #checkPositions(targets: Tensor): void {
    const least = this.#options.task === 'multilabel' ? 3 : 2;
    if (targets.ndim >= least) return;
    throw refusal(this.constructor.name, `with multidimAverage 'samplewise' targets must have ${least} dimensions or more, got shape [${targets.shape.join(', ')}]`); // prettier-ignore
  }
}

/** All samples as one, which has all their positions. */
function asOneSample({ predicted, targets, isCounted }: Labels): Labels {
  const join = (labels: Tensor) => labels.movedim(0, -1).flatten(-2).unsqueeze(0);
  return { predicted: join(predicted), targets: join(targets), isCounted: join(isCounted) };
}

/** The four counts of labels [samples, labels, positions], int64 [samples, 4, labels]. */
function countLabels({ predicted, targets, isCounted }: Labels): Tensor {
  const [isSaid, isTrue] = [predicted.eq(1), targets.eq(1)];
  const often = (said: Tensor, truth: Tensor) => said.logicalAnd(truth).logicalAnd(isCounted).sum(-1);
  const [isDenied, isFalse] = [isSaid.logicalNot(), isTrue.logicalNot()];
  return stack([often(isSaid, isTrue), often(isSaid, isFalse), often(isDenied, isFalse), often(isDenied, isTrue)], 1);
}

/** The four counts of classes [samples, positions], int64 [samples, 4, classes], without a table of classes by classes. */
function countClasses({ predicted, targets, isCounted }: Labels, classes: number): Tensor {
  const isRight = predicted.eq(targets);
  const none = zeros([targets.size(0), classes], { dtype: 'int64', device: targets.device });
  const often = (of: Tensor, which: Tensor) => none.scatterAdd(1, of, which.logicalAnd(isCounted).to('int64'));
  const truePositives = often(targets, isRight);
  const falsePositives = often(predicted, isRight.logicalNot());
  const falseNegatives = often(targets, isRight.logicalNot());
  const occurring = truePositives.add(falsePositives).add(falseNegatives);
  const trueNegatives = isCounted.sum(1, true).sub(occurring);
  return stack([truePositives, falsePositives, trueNegatives, falseNegatives], 1);
}
