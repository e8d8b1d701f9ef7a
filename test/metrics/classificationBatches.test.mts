import { expect } from 'chai';
import { AiforgeError, arange, manualSeed, rand, randint, randn, tensor, zeros, type Tensor } from 'aiforge';
import {
  Accuracy,
  AUROC,
  AveragePrecision,
  CalibrationError,
  ConfusionMatrix,
  F1Score,
  FBetaScore,
  JaccardIndex,
  MetricCollection,
  Precision,
  PrecisionRecallCurve,
  Recall,
  ROC,
  Specificity,
  type Metric,
} from 'aiforge/metrics';

const labels = (values: unknown) => tensor(values as number[], { dtype: 'int64' });
const scores = (values: unknown) => tensor(values as number[], { dtype: 'float64' });

const tasks = {
  binary: { task: 'binary' },
  multiclass: { task: 'multiclass', numClasses: 3 },
  multilabel: { task: 'multilabel', numLabels: 3 },
} as const;
type TaskName = keyof typeof tasks;

/** Every metric of a task, under its options. */
const metricsOf = (task: TaskName): Record<string, () => Metric<[Tensor, Tensor], unknown>> => ({
  Accuracy: () => new Accuracy(tasks[task]),
  'Recall of each': () =>
    task === 'binary' ? new Recall(tasks[task]) : new Recall({ ...tasks[task], average: 'none' }),
  F1Score: () => new F1Score(tasks[task]),
  JaccardIndex: () => new JaccardIndex(tasks[task]),
  ConfusionMatrix: () => new ConfusionMatrix(tasks[task]),
  AUROC: () => new AUROC(tasks[task]),
  'AUROC at thresholds': () => new AUROC({ ...tasks[task], thresholds: 9 }),
  AveragePrecision: () => new AveragePrecision(tasks[task]),
  ROC: () => new ROC(tasks[task]),
  PrecisionRecallCurve: () => new PrecisionRecallCurve({ ...tasks[task], thresholds: 4 }),
  ...(task === 'multilabel' ? {} : { CalibrationError: () => new CalibrationError(tasks[task]) }),
});

function batchOf(task: TaskName, size: number): [Tensor, Tensor] {
  const shape = task === 'binary' ? [size] : [size, 3];
  const targets = randint(0, task === 'multiclass' ? 3 : 2, task === 'multiclass' ? [size] : shape);
  return [rand(shape, { dtype: 'float64' }), targets];
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, item: unknown) => (isTensor(item) ? rounded(item) : item))); // prettier-ignore
const isTensor = (value: unknown): value is Tensor => typeof value === 'object' && value !== null && 'tolist' in value;
const rounded = (value: Tensor): unknown => value.to('float64').mul(1e10).round().tolist();

function refused(body: () => unknown, ...words: string[]): void {
  try {
    body();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    expect((error as AiforgeError).code).to.equal('INVALID_ARGUMENT');
    for (const word of words) expect((error as AiforgeError).message).to.include(word);
    return;
  }
  expect.fail(`nothing was refused; expected ${words.join(', ')}`);
}

describe('batches of classification metrics', () => {
  beforeEach(() => manualSeed(0));

  for (const task of Object.keys(tasks) as TaskName[]) {
    for (const [name, make] of Object.entries(metricsOf(task))) {
      it(`${task} ${name}: the value is the same however a batch is split, with empty batches, and merged`, () => {
        const [predictions, targets] = batchOf(task, 20);
        const whole = make();
        whole.update(predictions, targets);
        const expected = plain(whole.compute());
        for (const sizes of [
          [1, 19],
          [7, 0, 13],
          [0, 5, 5, 5, 5, 0],
        ]) {
          const [split, first, second] = [make(), make(), make()];
          const pieces = predictions.split(sizes).map((piece, i) => [piece, targets.split(sizes)[i]!] as const);
          pieces.forEach((piece, i) => {
            split.update(...piece);
            (i % 2 === 0 ? first : second).update(...piece);
          });
          expect(plain(split.compute()), String(sizes)).to.deep.equal(expected);
          first.merge(second);
          // A curve has its points in the order of scores, whatever came first.
          expect(plain(first.compute()), `${String(sizes)} merged`).to.deep.equal(expected);
        }
      });

      it(`${task} ${name}: a refused batch changes nothing`, () => {
        const metric = make();
        metric.update(...batchOf(task, 6));
        const before = plain(metric.compute());
        const [predictions, targets] = batchOf(task, 4);
        refused(() => metric.update(predictions.narrow(0, 0, 3), targets), 'shape', 'got');
        refused(() => metric.update(predictions, targets.to('float32')), 'integers', 'float32');
        refused(() => metric.update(predictions, targets.add(5)), 'ignoreIndex', 'got');
        refused(() => metric.update(predictions, [0] as never), 'tensors', '[0]');
        expect(metric.updateCount).to.equal(1);
        expect(plain(metric.compute())).to.deep.equal(before);
      });
    }
  }

  it('curves and calibration refuse labels for scores', () => {
    for (const metric of [new AUROC(tasks.binary), new CalibrationError(tasks.binary), new ROC(tasks.binary)]) {
      refused(() => metric.update(labels([0, 1]), labels([0, 1])), 'logits or probabilities', 'int64');
    }
  });

  it('refuses labels that are predicted and are none, but not where the target is ignored', () => {
    const accuracy = new Accuracy({ ...tasks.multiclass, ignoreIndex: 255 });
    refused(() => accuracy.update(labels([0, 7]), labels([0, 1])), 'predictions', 'from 0 to 2', 'got 7');
    refused(() => accuracy.update(labels([0, 1]), labels([0, 3])), 'targets', 'ignoreIndex 255', 'got 3');
    accuracy.update(labels([0, 7, 1]), labels([0, 255, 2]));
    expect(accuracy.compute().item()).to.equal(0.5);
  });

  it('leaves values out of range out, without a word, where it is not to validate', () => {
    const given = [scores([0.9, 0.9, 0.1]), labels([1, 4, 1])] as const;
    expect(new Accuracy({ ...tasks.binary, validateArgs: false }).forward(...given).item()).to.equal(0.5);
    expect(new AUROC({ ...tasks.binary, validateArgs: false }).forward(...given).item()).to.equal(0);
    const matrix = new ConfusionMatrix({ ...tasks.multiclass, validateArgs: false });
    expect(
      matrix
        .forward(labels([0, 9, 2, 1]), labels([0, 1, 9, -1]))
        .sum()
        .item(),
    ).to.equal(1);
  });

  it('takes half precision, bool and small integers', () => {
    const predictions = tensor([-3, 2, 1.5, -0.5], { dtype: 'float16' });
    for (const dtype of ['bool', 'uint8', 'int8', 'int32'] as const) {
      const targets = tensor([0, 1, 0, 0], { dtype: 'int64' }).to(dtype);
      expect(new Accuracy(tasks.binary).forward(predictions, targets).item(), dtype).to.equal(0.75);
      expect(new AUROC(tasks.binary).forward(predictions, targets).item(), dtype).to.equal(1);
    }
    const targets = tensor([1, 0], { dtype: 'int8' });
    const many = new Accuracy({ task: 'multiclass', numClasses: 1000 });
    expect(many.forward(arange(2), targets).item()).to.equal(0);
  });

  it('NaN is no yes, and does not make logits of probabilities', () => {
    const given = [scores([0.3, NaN, 0.9]), labels([0, 1, 1])] as const;
    expect(new Accuracy(tasks.binary).forward(...given).item()).to.be.closeTo(2 / 3, 1e-12);
    // As the highest score where scores are sorted, and below all thresholds.
    expect(new AUROC(tasks.binary).forward(...given).item()).to.equal(1);
    expect(new AUROC({ ...tasks.binary, thresholds: [0, 0.5] }).forward(...given).item()).to.equal(0.5);
    expect(new CalibrationError(tasks.binary).forward(...given).item()).to.be.NaN;
  });

  it('samples need positions to have values of their own', () => {
    const each = { multidimAverage: 'samplewise' } as const;
    refused(() => new Accuracy({ ...tasks.binary, ...each }).update(labels([0]), labels([0])), 'samplewise', '2 dim');
    refused(() => new Accuracy({ ...tasks.multilabel, ...each }).update(labels([[0, 1, 1]]), labels([[0, 1, 0]])), '3 dim'); // prettier-ignore
    const one = new Accuracy({ ...tasks.binary, ...each });
    one.update(labels([[0, 1]]), labels([[0, 0]]));
    one.update(zeros([0, 2], { dtype: 'int64' }), zeros([0, 2], { dtype: 'int64' }));
    expect(one.compute().tolist()).to.deep.equal([0.5]);
  });
});

describe('values of classification metrics that are not torchmetrics’', () => {
  it('are 0, not NaN, where nothing counts', () => {
    const given = [scores([0.3, 0.9]), labels([-1, -1])] as const;
    const options = { ...tasks.binary, ignoreIndex: -1 };
    for (const metric of [
      new Accuracy(options),
      new AUROC(options),
      new AveragePrecision(options),
      new F1Score(options),
    ]) {
      expect(metric.forward(...given).item()).to.equal(0);
    }
    const [curve] = new ROC(options).forward(...given);
    expect(curve!.thresholds.tolist()).to.deep.equal([1]);
    const weighted = new JaccardIndex({ ...tasks.multilabel, average: 'weighted' });
    expect(weighted.forward(zeros([2, 3]), zeros([2, 3], { dtype: 'int64' })).item()).to.equal(0);
    expect(new CalibrationError(options).forward(...given).item()).to.be.NaN;
  });

  it('curves without a prediction have no value', () => {
    refused(
      () => new AUROC(tasks.binary).forward(zeros([0]), zeros([0], { dtype: 'int64' })),
      'no batch had an element',
    );
    expect(new AUROC({ ...tasks.binary, thresholds: 3 }).forward(zeros([0]), zeros([0], { dtype: 'int64' })).item()).to.equal(0); // prettier-ignore
  });

  it('a class that no target is of has no average precision, at thresholds as exactly', () => {
    const given = [scores([[0.5, 0.2, 0.3], [0.1, 0.2, 0.7]]), labels([0, 2])] as const; // prettier-ignore
    for (const thresholds of [null, 5]) {
      const precision = (average: 'none' | 'macro' | 'weighted') =>
        new AveragePrecision({ ...tasks.multiclass, thresholds, average }).forward(...given);
      expect(precision('none').tolist()).to.deep.equal([1, NaN, 1]);
      expect(precision('macro').item()).to.equal(1);
      expect(precision('weighted').item()).to.equal(1);
    }
  });

  it('are exact beyond what float32 counts', () => {
    const precision = new Precision(tasks.binary);
    const counts = labels([[2 ** 24], [1], [0], [0]]);
    precision.loadStateDict({ updates: 1, states: { counts } });
    precision.update(labels([1]), labels([1]));
    expect(precision.compute().item()).to.equal((2 ** 24 + 1) / (2 ** 24 + 2));
  });

  it('areas of many classes are those of each by itself', () => {
    manualSeed(1);
    const [predictions, targets] = [rand([3000, 400]), randint(0, 400, [3000])];
    const options = { task: 'multiclass', numClasses: 400, average: 'none' } as const;
    const all = new AUROC(options).forward(predictions, targets);
    for (const index of [0, 348, 349, 350, 399]) {
      const own = new AUROC(tasks.binary).forward(predictions.select(1, index), targets.eq(index));
      expect(all.select(0, index).item()).to.be.closeTo(own.item(), 1e-12);
    }
  });

  it('10,000 classes have no table of classes by classes', () => {
    const options = { task: 'multiclass', numClasses: 10_000 } as const;
    const [predictions, targets] = [randn([8, 10_000]), arange(8).mul(1000)];
    for (const metric of [
      new Accuracy({ ...options, topK: 5 }),
      new F1Score({ ...options, average: 'macro' }),
      new JaccardIndex(options),
      new AUROC({ ...options, thresholds: 3 }),
    ]) {
      metric.update(predictions, targets);
      expect(metric.compute().item()).to.be.within(0, 1);
      const states = Object.values(metric.stateDict().states).flat();
      expect(states.reduce((sum, state) => sum + state.numel(), 0)).to.be.at.most(predictions.numel());
    }
  });
});

describe('classification metrics in a collection', () => {
  const rates = { Accuracy, Precision, Recall, F1Score, FBetaScore, Specificity };

  for (const [task, options] of Object.entries({
    ...tasks,
    'multiclass of averages': { ...tasks.multiclass, average: 'macro', topK: 2, ignoreIndex: 1 } as const,
    'multilabel of samples': { ...tasks.multilabel, multidimAverage: 'samplewise', average: 'none' } as const,
  })) {
    it(`${task}: rates of the same options count once, and have their own values`, () => {
      const make = () => Object.fromEntries(Object.entries(rates).map(([name, Rate]) => [name, new Rate(options)]));
      const [together, alone] = [make(), make()];
      const collection = new MetricCollection(together);
      expect(new Set(Object.values(together).map(({ stateKey }) => stateKey))).to.have.lengthOf(1);
      for (const size of [5, 3]) {
        const [predictions, targets] = batchOf(options.task, size);
        const isOfSamples = 'multidimAverage' in options;
        const given = [predictions, targets].map((each) => (isOfSamples ? each.unsqueeze(-1) : each)) as [
          Tensor,
          Tensor,
        ];
        collection.update(...given);
        for (const metric of Object.values(alone)) metric.update(...given);
      }
      for (const [name, metric] of Object.entries(together)) {
        // Metrics that counted in the same states each by itself would have counted each batch six times.
        expect(metric.updateCount).to.equal(2);
        expect(collection.compute()[name]!.tolist()).to.deep.equal(alone[name]!.compute().tolist());
      }
    });
  }

  it('metrics of other options do not share', () => {
    const options = { task: 'multiclass', numClasses: 3 } as const;
    const samples = { multidimAverage: 'samplewise' } as const;
    const different: Metric[] = [
      new Accuracy(options),
      new Accuracy({ ...options, numClasses: 4 }),
      new Accuracy({ ...options, topK: 2 }),
      new Accuracy({ ...options, ignoreIndex: 0 }),
      new Accuracy({ ...options, validateArgs: false }),
      new Accuracy({ ...options, ...samples }),
      new Accuracy({ ...options, ...samples, average: 'macro' }),
      new Accuracy({ task: 'multilabel', numLabels: 3 }),
      new Accuracy({ task: 'multilabel', numLabels: 3, threshold: 0.3 }),
      new Accuracy({ task: 'binary' }),
      new ConfusionMatrix(options),
      new ConfusionMatrix({ ...options, numClasses: 4 }),
      new AUROC(options),
      new AUROC({ ...options, thresholds: 3 }),
      new AUROC({ ...options, thresholds: [0, 0.5] }),
      new CalibrationError(options),
      new CalibrationError({ ...options, nBins: 3 }),
    ];
    expect(new Set(different.map(({ stateKey }) => stateKey))).to.have.lengthOf(different.length);
  });

  it('averages, norms and areas of the same predictions share', () => {
    const options = { task: 'multiclass', numClasses: 3 } as const;
    const pairs: [Metric<never, unknown>, Metric<never, unknown>][] = [
      [new Accuracy(options), new JaccardIndex({ ...options, average: 'weighted' })],
      [new AUROC(options), new ROC(options)],
      [new AveragePrecision(options), new PrecisionRecallCurve(options)],
      [new CalibrationError(options), new CalibrationError({ ...options, norm: 'max' })],
      [new ConfusionMatrix(options), new ConfusionMatrix({ ...options, normalize: 'all' })],
    ];
    for (const [one, other] of pairs) expect(one.stateKey).to.equal(other.stateKey);
  });
});

describe('options of classification metrics', () => {
  it('are those of the task', () => {
    // @ts-expect-error -- numClasses must be given.
    refused(() => new Accuracy({ task: 'multiclass' }), 'numClasses', 'given');
    // @ts-expect-error -- numLabels must be given.
    refused(() => new AUROC({ task: 'multilabel' }), 'numLabels', 'given');
    // @ts-expect-error -- a binary task has no classes.
    refused(() => new F1Score({ task: 'binary', numClasses: 3 }), "no option 'numClasses'");
    // @ts-expect-error -- classes have no threshold.
    refused(() => new Precision({ task: 'multiclass', numClasses: 3, threshold: 0.5 }), "no option 'threshold'");
    // @ts-expect-error -- labels have no ranks.
    refused(() => new Recall({ task: 'multilabel', numLabels: 3, topK: 2 }), "no option 'topK'");
    // @ts-expect-error -- there is no such task.
    refused(() => new ROC({ task: 'regression' }), "'binary', 'multiclass' or 'multilabel'", "'regression'");
    // @ts-expect-error -- labels are not calibrated.
    refused(() => new CalibrationError({ task: 'multilabel', numLabels: 3 }), "'binary' or 'multiclass'");
    // @ts-expect-error -- the task must be given.
    refused(() => new ConfusionMatrix(), 'task', 'undefined');
    // @ts-expect-error -- classes have no micro area.
    refused(() => new AUROC({ task: 'multiclass', numClasses: 3, average: 'micro' }), 'average', "'micro'");
  });

  it('have values in range', () => {
    refused(() => new Accuracy({ task: 'multiclass', numClasses: 1 }), 'numClasses', '2 or more');
    refused(() => new Accuracy({ task: 'multiclass', numClasses: 3, topK: 4 }), 'topK', 'got 4');
    refused(() => new Accuracy({ task: 'binary', threshold: 1.5 }), 'threshold', '1.5');
    refused(() => new Accuracy({ task: 'binary', ignoreIndex: 0.5 }), 'ignoreIndex', '0.5');
    refused(() => new FBetaScore({ task: 'binary', beta: 0 }), 'beta', 'above 0');
    refused(() => new F1Score({ task: 'binary', zeroDivision: 2 as 1 }), 'zeroDivision', '0 or 1');
    refused(() => new AUROC({ task: 'binary', maxFpr: 0 }), 'maxFpr', 'got 0');
    refused(() => new AUROC({ task: 'binary', thresholds: [0.5, 0.1] }), 'thresholds', 'rising');
    refused(() => new AUROC({ task: 'binary', thresholds: 1 }), 'thresholds', '2 or more');
    refused(() => new CalibrationError({ task: 'binary', nBins: 0 }), 'nBins', 'above 0');
  });
});
