import { oneOf, type Kinds } from '../../kinds.js';
import { arange, zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { ratio } from './averages.js';
import { oneOfSeveral, yesOrNo } from './labels.js';
import {
  taskKinds,
  taskSignature,
  thresholdKind,
  type BinaryOptions,
  type MulticlassOptions,
  type MultilabelOptions,
  type ThresholdOptions,
} from './tasks.js';

interface NormalizeOptions {
  /** Of what the counts become parts: of each true class, each predicted class, all, or nothing. Default: 'none'. */
  normalize?: 'true' | 'pred' | 'all' | 'none';
}

/** Options of `ConfusionMatrix`. */
export type ConfusionMatrixOptions =
  | (BinaryOptions & ThresholdOptions & NormalizeOptions)
  | (MulticlassOptions & NormalizeOptions)
  | (MultilabelOptions & ThresholdOptions & NormalizeOptions);

const normalize: Kinds<NormalizeOptions> = { normalize: oneOf('true', 'pred', 'all', 'none') };
const takes = taskSignature<ConfusionMatrixOptions>({
  binary: { ...taskKinds.binary, ...thresholdKind, ...normalize },
  multiclass: { ...taskKinds.multiclass, ...normalize },
  multilabel: { ...taskKinds.multilabel, ...thresholdKind, ...normalize },
});

const dimsOf = { true: -1, pred: -2, all: [-2, -1] } as const;

/**
 * How often each class was taken for each, a row for each true class: int64 [2, 2], [numClasses, numClasses] or for each label
 * [numLabels, 2, 2]; float64 with `normalize`. Batches as for `Accuracy`. As `torchmetrics.ConfusionMatrix`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { ConfusionMatrix } from 'aiforge/metrics';
 * const matrix = new ConfusionMatrix({ task: 'binary' });
 * matrix.forward(tensor([0.9, 0.8, 0.3]), tensor([1, 0, 1], { dtype: 'int64' })).tolist(); // [[0, 1], [1, 1]]
 */
export class ConfusionMatrix extends Metric {
  readonly #options: ConfusionMatrixOptions;
  readonly #shape: number[];

  constructor(options: ConfusionMatrixOptions) {
    takes.check(new.target.name, arguments);
    super();
    this.#options = options;
    const classes = options.task === 'multiclass' ? options.numClasses : 2;
    this.#shape = options.task === 'multilabel' ? [options.numLabels, 2, 2] : [classes, classes];
    this.addState('matrix', zeros(this.#shape, { dtype: 'int64' }), 'sum');
  }

  /** @internal */
  override get stateKey(): string {
    const { task, ignoreIndex, validateArgs = true } = this.#options;
    const threshold = 'threshold' in this.#options ? this.#options.threshold : undefined;
    return JSON.stringify(['confusions', task, ignoreIndex, validateArgs, threshold ?? 0.5, this.#shape]);
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    const [name, options] = [this.constructor.name, this.#options];
    const isMulticlass = options.task === 'multiclass';
    const labels = isMulticlass
      ? oneOfSeveral(name, predictions, targets, options)
      : yesOrNo(name, predictions, targets, options);
    const cells = labels.targets.mul(this.#shape.at(-1)!).add(labels.predicted);
    const isCounted = labels.isCounted.to('int64');
    // What does not count may be of no class.
    const own = cells.mul(isCounted);
    const of = options.task === 'multilabel' ? own.add(firstCells(options.numLabels, targets)) : own;
    const none = zeros(this.#shape, { dtype: 'int64', device: targets.device });
    this.add('matrix', none.flatten().scatterAdd(0, of.flatten(), isCounted.flatten()).reshape(this.#shape));
  }

  protected override result(): Tensor {
    const matrix = this.state('matrix');
    const { normalize = 'none' } = this.#options;
    return normalize === 'none' ? matrix : ratio(matrix, matrix.sum(dimsOf[normalize], true));
  }
}

/** Where the matrix of each label begins, [labels, 1]. */
const firstCells = (labels: number, { device }: Tensor): Tensor => arange(labels, { device }).mul(4).unsqueeze(1);
