import { oneOf, type Kinds } from '../../kinds.js';
import { stack, type Tensor } from '../../tensor/index.js';
import { averageOf } from './averages.js';
import { CurveMetric, type Points } from './curves.js';
import {
  averageKind,
  taskKinds,
  type Average,
  type BinaryOptions,
  type MulticlassOptions,
  type MultilabelOptions,
} from './tasks.js';
import { thresholdsKind, type ThresholdsOptions } from './thresholds.js';

interface ClassAverageOptions {
  /** How the areas of the classes, each against the others, become one; 'none' gives each. Default: 'macro'. */
  average?: 'macro' | 'weighted' | 'none';
}

interface LabelAverageOptions {
  /** How the areas of the labels become one; 'micro' is of all predictions together, 'none' gives each. Default: 'macro'. */
  average?: Average;
}

export type BinaryAreaOptions = BinaryOptions & ThresholdsOptions;
export type MulticlassAreaOptions = MulticlassOptions & ThresholdsOptions & ClassAverageOptions;
export type MultilabelAreaOptions = MultilabelOptions & ThresholdsOptions & LabelAverageOptions;

export type AreaOptions = BinaryAreaOptions | MulticlassAreaOptions | MultilabelAreaOptions;

const classAverage: Kinds<ClassAverageOptions> = { average: oneOf('macro', 'weighted', 'none') };

/** The kinds of the options of areas under curves. */
export const areaKinds = {
  binary: { ...taskKinds.binary, ...thresholdsKind } satisfies Kinds<BinaryAreaOptions>,
  multiclass: { ...taskKinds.multiclass, ...thresholdsKind, ...classAverage } satisfies Kinds<MulticlassAreaOptions>,
  multilabel: {
    ...taskKinds.multilabel,
    ...thresholdsKind,
    average: averageKind,
  } satisfies Kinds<MultilabelAreaOptions>,
};

/** A metric whose value is the area under a curve. */
export abstract class AreaMetric extends CurveMetric<Tensor> {
  override readonly higherIsBetter = true;
  readonly #average: Average;

  constructor(options: AreaOptions) {
    super(options);
    // A binary task has one area.
    this.#average = options.task === 'binary' ? 'micro' : (options.average ?? 'macro');
  }

  /** The area of each class, [classes]; NaN for one that has none. */
  protected abstract area(points: Points): Tensor;

  protected override result(): Tensor {
    if (this.#average === 'micro') return this.allAsOne((points) => this.area(points)).squeeze(0);
    const each = this.eachClass((points) => stack([this.area(points), points.positives]));
    return averageOf(each.select(0, 0), each.select(0, 1), this.#average);
  }
}
