import { tensor, type DType } from 'aiforge';
import * as metrics from 'aiforge/metrics';
import { likeTorchmetrics } from './recordedCases.mjs';

type Options = Record<string, unknown>;
type AnyMetric = metrics.Metric<never, unknown>;
type Cases = Record<string, () => AnyMetric>;

interface Recorded {
  dtype: DType;
  shape: number[];
  data: number[];
}

const make = (name: string, options: Options): AnyMetric =>
  new (metrics as unknown as Record<string, new (options: Options) => AnyMetric>)[name]!(options);

/** The case of each name and each combination of options, one out of each dimension; named as the script names them. */
function each(names: string[], given: string, ...dimensions: Options[][]): Cases {
  const combined = dimensions.reduce((all, next) => all.flatMap((one) => next.map((two) => ({ ...one, ...two }))));
  const cases = names.flatMap((name) =>
    combined.map((options) => [`${name} ${given} ${JSON.stringify(options)}`, () => make(name, options)] as const),
  );
  return Object.fromEntries(cases);
}

const options = (key: string, ...values: unknown[]): Options[] => values.map((value) => ({ [key]: value }));

const prepare = (item: unknown) => {
  const { dtype, shape, data } = item as Recorded;
  return tensor(data, { dtype }).reshape(shape);
};

const averages = options('average', 'micro', 'macro', 'weighted', 'none');
const binary: Options[] = [{ task: 'binary' }];
const multiclass: Options[] = [{ task: 'multiclass', numClasses: 4 }];
const multilabel: Options[] = [{ task: 'multilabel', numLabels: 3 }];
const tasks = [...binary, ...multiclass, ...multilabel];
const yesOrNo = [...binary, ...multilabel];
const averaged = [...multiclass, ...multilabel].flatMap((task) => averages.map((average) => ({ ...task, ...average })));
const samplewise = options('multidimAverage', 'samplewise');
const ignored = [{}, ...options('ignoreIndex', -1, 1)];
const counted = [...binary, ...averaged];
const topped = averaged.filter(({ task }) => task === 'multiclass');
const rates = ['Accuracy', 'Precision', 'Recall', 'F1Score', 'FBetaScore', 'Specificity'];
const areas = ['AUROC', 'AveragePrecision'];
const curves = ['ROC', 'PrecisionRecallCurve'];
const thresholds = [{}, ...options('thresholds', 5, [0.1, 0.3, 0.3, 0.8])];
const measured = [...binary, ...averaged].filter((each) => each.task !== 'multiclass' || each.average !== 'micro');
const calibrated = [...binary, ...multiclass];
const norms = options('norm', 'l1', 'l2', 'max');

describe('classification metrics', () => {
  likeTorchmetrics(
    'metrics_classification.py',
    {
      ...each(rates, 'logits', counted, ignored),
      ...each(rates, 'probabilities', tasks),
      ...each(rates, 'labels', counted),
      ...each(rates, 'missing', counted),
      ...each(rates, 'images', counted),
      ...each(rates, 'images', counted, samplewise, ignored),
      ...each(rates, 'probabilities', yesOrNo, options('threshold', 0.2)),
      ...each(rates, 'logits', topped, options('topK', 2), ignored),
      ...each(rates, 'images', topped, options('topK', 3), samplewise),
      ...each(['FBetaScore'], 'labels', counted, options('beta', 1.5, 0.5)),
      ...each(['Precision', 'Recall', 'F1Score'], 'missing', counted, options('zeroDivision', 1)),
      ...each(['JaccardIndex'], 'missing', counted.slice(0, -2), options('zeroDivision', 1)),
      ...each(['JaccardIndex'], 'logits', counted, ignored.slice(0, 2)),
      ...each(['JaccardIndex'], 'logits', counted.slice(0, -2), ignored.slice(2)),
      ...each(['JaccardIndex'], 'images', tasks),
      ...each(['JaccardIndex'], 'probabilities', yesOrNo, options('threshold', 0.2)),
      ...each(['ConfusionMatrix'], 'logits', tasks, options('normalize', 'none', 'true', 'pred', 'all'), ignored),
      ...each(['ConfusionMatrix'], 'missing', tasks, options('normalize', 'true', 'pred')),
      ...each(['ConfusionMatrix'], 'images', tasks),
      ...each(areas, 'logits', measured, ignored.slice(0, 2), thresholds),
      ...each(areas, 'logits', measured, ignored.slice(2)),
      ...each(['AUROC'], 'logits', measured, ignored.slice(2), thresholds.slice(1)),
      ...each(areas, 'ties', measured, thresholds),
      ...each(areas, 'images', measured, thresholds),
      ...each(areas, 'true', yesOrNo, thresholds),
      ...each(areas, 'missing', measured),
      ...each(['AUROC'], 'missing', measured, thresholds.slice(1)),
      ...each(['AUROC'], 'ties', binary, options('maxFpr', 0.05, 0.5, 0.9), thresholds.slice(0, 2)),
      ...each(['AUROC'], 'logits', binary, options('maxFpr', 0.3), ignored),
      ...each(curves, 'logits', tasks, ignored, thresholds),
      ...each(curves, 'ties', tasks, thresholds),
      ...each(curves, 'missing', tasks, thresholds),
      ...each(curves, 'true', yesOrNo, thresholds),
      ...each(['CalibrationError'], 'logits', calibrated, norms, [{}, ...options('nBins', 4)], ignored),
      ...each(['CalibrationError'], 'ties', calibrated, norms, options('nBins', 4)),
      ...each(['CalibrationError'], 'images', calibrated),
    },
    { prepare },
  );
});
