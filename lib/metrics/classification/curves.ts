import { arange, bucketize, cat, onesLike, scope, zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { checkScores, checkShapes, counted, probabilities } from './labels.js';
import { outputsOf, taskKinds, taskSignature, type TaskOptions } from './tasks.js';
import { thresholdsKind, thresholdsOf, type ThresholdsOptions } from './thresholds.js';

/** Options of curves. */
export type CurveOptions = TaskOptions & ThresholdsOptions;

export const curveTakes = taskSignature<CurveOptions>({
  binary: { ...taskKinds.binary, ...thresholdsKind },
  multiclass: { ...taskKinds.multiclass, ...thresholdsKind },
  multilabel: { ...taskKinds.multilabel, ...thresholdsKind },
});

/**
 * What predictions would be true and false positives at each threshold, the highest first: float64 [thresholds, classes], and of
 * how many true and false ones, float64 [classes].
 */
export interface Points {
  truePositives: Tensor;
  falsePositives: Tensor;
  positives: Tensor;
  negatives: Tensor;
}

/** The same for one class, 1-D, with the thresholds. */
export interface Curve extends Points {
  thresholds: Tensor;
}

/** All predictions with their truth: [predictions, classes], what does not count among them. */
interface Predictions {
  scores: Tensor;
  isTrue: Tensor;
  isCounted: Tensor;
}

// How many predictions are sorted at once; sorting needs several times their memory.
const SORTED_AT_ONCE = 1 << 20;

/** What a target that does not count is kept as. */
const LEFT_OUT = -1;

/** A metric whose value follows from the predictions at all thresholds, of each class or label against the others. */
export abstract class CurveMetric<Value> extends Metric<[predictions: Tensor, targets: Tensor], Value> {
  readonly #options: CurveOptions;
  readonly #classes: number;

  constructor(options: CurveOptions) {
    super();
    this.#options = options;
    this.#classes = outputsOf(options);
    const { thresholds = null } = options;
    if (thresholds === null) {
      this.addState('scores', [], 'cat');
      this.addState('targets', [], 'cat');
    } else {
      // How many predictions are at or above so many thresholds: of those that are true, and of all.
      const shape = [(typeof thresholds === 'number' ? thresholds : thresholds.length) + 1, this.#classes];
      this.addState('positives', zeros(shape, { dtype: 'int64' }), 'sum');
      this.addState('all', zeros(shape, { dtype: 'int64' }), 'sum');
    }
  }

  /** @internal */
  override get stateKey(): string {
    const { task, ignoreIndex, validateArgs = true, thresholds } = this.#options;
    return JSON.stringify(['curve', task, ignoreIndex, validateArgs, this.#classes, thresholds]);
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    const [name, options] = [this.constructor.name, this.#options];
    checkShapes(name, predictions, targets, options);
    checkScores(name, predictions);
    const truth = targets.to('int64');
    const isCounted = counted(name, truth, options);
    const known = this.#rows(truth.maskedFill(isCounted.logicalNot(), LEFT_OUT));
    const scores = asRows(probabilities(predictions, options), this.#classes, options);
    const thresholds = thresholdsOf(options, targets.device);
    if (thresholds === undefined) {
      this.append('scores', scores);
      this.append('targets', options.task === 'multiclass' ? known : known.to('int8'));
    } else this.#bin(scores, known, thresholds);
  }

  /** What `of` gives of all points, [..., classes], without more than a few classes' points at once. */
  protected eachClass(of: (points: Points) => Tensor): Tensor {
    if (this.isBinned) return of(this.#binnedPoints());
    const [scores, targets] = [this.state('scores'), this.state('targets')];
    const atOnce = Math.max(1, Math.floor(SORTED_AT_ONCE / scores.size(0)));
    const parts: Tensor[] = [];
    for (let first = 0; first < this.#classes; first += atOnce) {
      const classes = Math.min(atOnce, this.#classes - first);
      parts.push(scope(() => of(exactPoints(this.#predictionsOf(scores, targets, first, classes)))));
    }
    return cat(parts, -1);
  }

  /** What `of` gives of the points of all labels as one. */
  protected allAsOne(of: (points: Points) => Tensor): Tensor {
    if (this.isBinned) return of(this.#binnedPoints(true));
    const { scores, isTrue, isCounted } = this.#predictionsOf(this.state('scores'), this.state('targets'), 0, this.#classes); // prettier-ignore
    const [flatScores, flatTrue, flatCounted] = [scores, isTrue, isCounted].map((each) => each.reshape([-1, 1]));
    return of(exactPoints({ scores: flatScores!, isTrue: flatTrue!, isCounted: flatCounted! }));
  }

  /** The counts at each threshold, the highest first, of one class after the other. */
  protected curves(): Curve[] {
    const thresholds = thresholdsOf(this.#options);
    const indices = Array.from({ length: this.#classes }, (_, index) => index);
    if (thresholds === undefined) {
      const [scores, targets] = [this.state('scores'), this.state('targets')];
      return indices.map((index) => exactCurve(this.#predictionsOf(scores, targets, index, 1)));
    }
    const { truePositives, falsePositives, positives, negatives } = this.#binnedPoints();
    return indices.map((index) => ({
      thresholds: thresholds.to(positives.device).flip(0),
      truePositives: truePositives.select(1, index),
      falsePositives: falsePositives.select(1, index),
      positives: positives.select(0, index),
      negatives: negatives.select(0, index),
    }));
  }

  protected get isBinned(): boolean {
    return (this.#options.thresholds ?? null) !== null;
  }

  #binnedPoints(isAsOne = false): Points {
    const [positives, all] = (['positives', 'all'] as const).map((name) => {
      const each = this.state(name).to('float64');
      return isAsOne ? each.sum(1, true) : each;
    }) as [Tensor, Tensor];
    // A prediction is positive at a threshold when it is at or above more thresholds than lie below that one.
    const above = (of: Tensor) =>
      of
        .narrow(0, 1, of.size(0) - 1)
        .flip(0)
        .cumsum(0);
    return {
      truePositives: above(positives),
      falsePositives: above(all.sub(positives)),
      positives: positives.sum(0),
      negatives: all.sub(positives).sum(0),
    };
  }

  #rows(targets: Tensor): Tensor {
    return this.#options.task === 'multiclass' ? targets.flatten() : asRows(targets, this.#classes, this.#options);
  }

  #predictionsOf(scores: Tensor, targets: Tensor, first: number, classes: number): Predictions {
    const own = scores.narrow(1, first, classes);
    if (this.#options.task !== 'multiclass') {
      const labels = targets.narrow(1, first, classes);
      return { scores: own, isTrue: labels.eq(1), isCounted: labels.ne(LEFT_OUT) };
    }
    const column = targets.unsqueeze(1);
    const isTrue = column.eq(arange(first, first + classes, { device: targets.device }));
    return { scores: own, isTrue, isCounted: column.ne(LEFT_OUT).expandAs(own) };
  }

  #bin(scores: Tensor, targets: Tensor, thresholds: Tensor): void {
    const rows = thresholds.numel() + 1;
    const at = bucketize(scores, thresholds.to(scores.dtype as 'float32'), { right: true });
    // NaN is at or above no threshold.
    const bins = at.maskedFill(scores.isnan(), 0);
    const none = zeros([rows, this.#classes], { dtype: 'int64', device: scores.device });
    const isCounted = targets.ne(LEFT_OUT).to('int64');
    if (this.#options.task === 'multiclass') {
      const column = targets.clamp(0).unsqueeze(1);
      const cells = bins.gather(1, column).mul(this.#classes).add(column).flatten();
      this.add('positives', none.flatten().scatterAdd(0, cells, isCounted).reshape(none.shape));
      this.add('all', none.scatterAdd(0, bins, isCounted.unsqueeze(1).expandAs(bins)));
    } else {
      this.add('positives', none.scatterAdd(0, bins, targets.eq(1).to('int64')));
      this.add('all', none.scatterAdd(0, bins, isCounted));
    }
  }
}

/** [batch, classes, ...] as [batch and positions, classes]; of a binary task any shape as a column. */
function asRows(values: Tensor, classes: number, { task }: TaskOptions): Tensor {
  return task === 'binary' ? values.reshape([values.numel(), 1]) : values.movedim(1, -1).flatten(0, -2);
}

/**
 * The points at all predictions, and one before them. At all but the last of equal predictions stands the point before: the curve
 * is the same, and the same for all classes at once.
 */
function exactPoints({ scores, isTrue, isCounted }: Predictions): Points {
  const [values, indices] = scores.sort(0, true);
  const before = zeros([1, scores.size(1)], { dtype: 'int64', device: scores.device });
  const isLast = lastOfEqual(values);
  const upTo = (which: Tensor) => {
    const often = which.logicalAnd(isCounted).gather(0, indices).cumsum(0);
    return cat([before, often.mul(isLast).cummax(0)[0]]).to('float64');
  };
  const [truePositives, falsePositives] = [upTo(isTrue), upTo(isTrue.logicalNot())];
  return {
    truePositives,
    falsePositives,
    positives: truePositives.select(0, -1),
    negatives: falsePositives.select(0, -1),
  };
}

/** The points at the different predictions that count, of one class. */
function exactCurve({ scores, isTrue, isCounted }: Predictions): Curve {
  const [values, indices] = scores.maskedSelect(isCounted).sort(0, true);
  const truth = isTrue.maskedSelect(isCounted).gather(0, indices);
  const isLast = lastOfEqual(values);
  const upTo = (which: Tensor) => which.cumsum(0).maskedSelect(isLast).to('float64');
  return {
    thresholds: values.maskedSelect(isLast).to('float64'),
    truePositives: upTo(truth),
    falsePositives: upTo(truth.logicalNot()),
    positives: truth.sum().to('float64'),
    negatives: truth.logicalNot().sum().to('float64'),
  };
}

/** Which of sorted values are the last of equal ones; each NaN is. */
function lastOfEqual(values: Tensor): Tensor {
  const count = values.size(0);
  if (count === 0) return values.isnan();
  const differs = values.narrow(0, 1, count - 1).ne(values.narrow(0, 0, count - 1));
  return cat([differs, onesLike(values.narrow(0, 0, 1), { dtype: 'bool' })]);
}
