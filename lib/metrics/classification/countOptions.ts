import { count, kind, oneOf, type Kinds } from '../../kinds.js';
import {
  averageKind,
  taskKinds,
  thresholdKind,
  type Average,
  type BinaryOptions,
  type MulticlassOptions,
  type MultilabelOptions,
  type ThresholdOptions,
} from './tasks.js';

export interface AverageOptions {
  /** How the values of classes or labels become one; 'none' gives each. Default: 'micro'. */
  average?: Average;
}

interface MultidimOptions {
  /**
   * Whether positions beyond the samples, such as pixels, count with all others, or give a value for each sample, whose
   * targets then have a dimension more. Default: 'global'.
   */
  multidimAverage?: 'global' | 'samplewise';
}

interface TopKOptions {
  /** Among how many of the likeliest classes the true one counts as predicted. Default: 1. */
  topK?: number;
}

export type BinaryCountOptions = BinaryOptions & ThresholdOptions & MultidimOptions;
export type MulticlassCountOptions = MulticlassOptions & TopKOptions & AverageOptions & MultidimOptions;
export type MultilabelCountOptions = MultilabelOptions & ThresholdOptions & AverageOptions & MultidimOptions;

/** Options of metrics that count right and wrong predictions. */
export type CountOptions = BinaryCountOptions | MulticlassCountOptions | MultilabelCountOptions;

const multidim: Kinds<MultidimOptions> = { multidimAverage: oneOf('global', 'samplewise') };

/** The kinds of the options of metrics that count. */
export const countKinds = {
  binary: { ...taskKinds.binary, ...thresholdKind, ...multidim } satisfies Kinds<BinaryCountOptions>,
  multiclass: {
    ...taskKinds.multiclass,
    average: averageKind,
    ...multidim,
    topK: count,
  } satisfies Kinds<MulticlassCountOptions>,
  multilabel: {
    ...taskKinds.multilabel,
    ...thresholdKind,
    average: averageKind,
    ...multidim,
  } satisfies Kinds<MultilabelCountOptions>,
};

export interface ZeroDivisionOptions {
  /** The value of 0/0, 0 or 1. Default: 0. */
  zeroDivision?: 0 | 1;
}

/** Options of metrics that count, whose value may be 0/0. */
export type RateOptions = CountOptions & ZeroDivisionOptions;

export const zeroDivisionKind: Kinds<ZeroDivisionOptions> = {
  zeroDivision: kind<0 | 1>('0 or 1', (value) => value === 0 || value === 1),
};

export const rateKinds = {
  binary: { ...countKinds.binary, ...zeroDivisionKind },
  multiclass: { ...countKinds.multiclass, ...zeroDivisionKind },
  multilabel: { ...countKinds.multilabel, ...zeroDivisionKind },
};
