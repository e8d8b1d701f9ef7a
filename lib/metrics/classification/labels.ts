import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { Tensor, where } from '../../tensor/index.js';
import { outputsOf, type MulticlassOptions, type TaskOptions, type ThresholdOptions } from './tasks.js';

export const refusal = (name: string, problem: string): AiforgeError =>
  new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}.`);

/** Throws unless predictions and targets of a batch fit each other and the task. */
export function checkShapes(name: string, predictions: Tensor, targets: Tensor, options: TaskOptions): void {
  if (!Tensor.isTensor(predictions) || !Tensor.isTensor(targets)) {
    throw refusal(name, `predictions and targets must be tensors, got ${show(predictions)} and ${show(targets)}`);
  }
  const both = `got predictions ${show(predictions)} and targets ${show(targets)}`;
  if (targets.isFloatingPoint() || targets.isComplex() || predictions.isComplex()) {
    throw refusal(name, `targets must be integers or bool, and predictions no complex numbers; ${both}`);
  }
  if (predictions.device !== targets.device) {
    throw refusal(name, `predictions and targets must be on one device, got ${predictions.device} and ${targets.device}`); // prettier-ignore
  }
  const [batch, ...rest] = targets.shape;
  if (batch === undefined) throw refusal(name, `targets must have a dimension of samples at least; ${both}`);
  if (options.task === 'multiclass' && predictions.isFloatingPoint()) {
    const expected = [batch, options.numClasses, ...rest];
    if (String(predictions.shape) === String(expected)) return;
    throw refusal(name, `for targets of shape [${targets.shape.join(', ')}], predictions must be logits or probabilities of shape [${expected.join(', ')}] or integers of the targets' shape; ${both}`); // prettier-ignore
  }
  if (String(predictions.shape) !== String(targets.shape)) {
    throw refusal(name, `predictions and targets must have one shape; ${both}`);
  }
  if (options.task === 'multilabel' && rest[0] !== options.numLabels) {
    throw refusal(name, `predictions and targets must have shape [batch, ${options.numLabels}, ...]; ${both}`);
  }
}

/** Throws unless predictions are logits or probabilities. */
export function checkScores(name: string, predictions: Tensor): void {
  if (predictions.isFloatingPoint()) return;
  throw refusal(name, `predictions must be floating-point logits or probabilities, got ${show(predictions)}`);
}

/**
 * Which targets count, bool. Throws for one that is no class and not ignored, and for a predicted class that there is not,
 * unless they are not to be validated: then they do not count.
 */
export function counted(name: string, targets: Tensor, options: TaskOptions, predicted?: Tensor): Tensor {
  const { ignoreIndex, validateArgs = true } = options;
  const classes = options.task === 'multiclass' ? options.numClasses : 2;
  const isClass = (labels: Tensor) => labels.ge(0).logicalAnd(labels.lt(classes));
  const isKnown = predicted === undefined ? isClass(targets) : isClass(targets).logicalAnd(isClass(predicted));
  const isIgnored = ignoreIndex === undefined ? undefined : targets.eq(ignoreIndex);
  if (validateArgs) {
    const isRight = isIgnored === undefined ? isKnown : isKnown.logicalOr(isIgnored);
    if (!isRight.all().item()) {
      const wrong = (labels: Tensor) => labels.maskedSelect(isRight.logicalOr(isClass(labels)).logicalNot()).tolist<number[]>()[0]; // prettier-ignore
      throw noClass(name, wrong(targets), predicted === undefined ? undefined : wrong(predicted), options);
    }
  }
  return isIgnored === undefined ? isKnown : isKnown.logicalAnd(isIgnored.logicalNot());
}

function noClass(name: string, target: unknown, prediction: unknown, options: TaskOptions): AiforgeError {
  const range = options.task === 'multiclass' ? `classes from 0 to ${options.numClasses - 1}` : '0 or 1';
  if (target === undefined) return refusal(name, `predictions must be ${range}, got ${show(prediction)}`);
  const other = options.ignoreIndex === undefined ? '' : ` or the ignoreIndex ${options.ignoreIndex}`;
  return refusal(name, `targets must be ${range}${other}, got ${show(target)}; the option ignoreIndex names a value that counts nothing`); // prettier-ignore
}

/**
 * Probabilities of logits or of probabilities: any number outside [0, 1] tells that all are logits. NaN tells nothing. In
 * float32 or float64.
 */
export function probabilities(scores: Tensor, options: TaskOptions): Tensor {
  const exact = scores.dtype === 'float64' ? scores : scores.to('float32');
  const isLogits = exact.lt(0).logicalOr(exact.gt(1)).any();
  const squashed = () => (options.task === 'multiclass' ? exact.softmax(1) : exact.sigmoid());
  // Asking a GPU for the answer would wait for it; there both are calculated.
  if (exact.device === 'cpu') return isLogits.item() ? squashed() : exact;
  return where(isLogits, squashed(), exact);
}

/** Classes or labels of a batch: what is predicted and true, int64, and whether it counts, bool, all of one shape. */
export interface Labels {
  predicted: Tensor;
  targets: Tensor;
  isCounted: Tensor;
}

/** The yes or no of a batch as [samples, labels, positions]; a binary task has one label. */
export function yesOrNo(
  name: string,
  predictions: Tensor,
  targets: Tensor,
  options: Exclude<TaskOptions, MulticlassOptions> & ThresholdOptions,
): Labels {
  checkShapes(name, predictions, targets, options);
  const isSure = predictions.isFloatingPoint();
  const answers = isSure ? probabilities(predictions, options).gt(options.threshold ?? 0.5) : predictions;
  const shape = [targets.size(0), outputsOf(options), positionsOf(targets, options)];
  const [predicted, truth] = [answers, targets].map((labels) => labels.to('int64').reshape(shape)) as [Tensor, Tensor];
  return { predicted, targets: truth, isCounted: counted(name, truth, options, isSure ? undefined : predicted) };
}

/**
 * The classes of a batch as [samples, positions]. One that is among the `topK` likeliest is predicted rightly. Classes that do
 * not count are 0.
 */
export function oneOfSeveral(
  name: string,
  predictions: Tensor,
  targets: Tensor,
  options: MulticlassOptions & { topK?: number },
): Labels {
  checkShapes(name, predictions, targets, options);
  const shape = [targets.size(0), positionsOf(targets, options)];
  const truth = targets.to('int64');
  const isSure = predictions.isFloatingPoint();
  const predicted = isSure ? likeliest(predictions, truth, options.topK ?? 1) : predictions.to('int64');
  const isCounted = counted(name, truth, options, isSure ? undefined : predicted);
  const known = (labels: Tensor) => labels.maskedFill(isCounted.logicalNot(), 0).reshape(shape);
  return { predicted: known(predicted), targets: known(truth), isCounted: isCounted.reshape(shape) };
}

function likeliest(scores: Tensor, targets: Tensor, topK: number): Tensor {
  if (topK === 1) return scores.argmax(1);
  const best = scores.topk(topK, 1).indices;
  return where(best.eq(targets.unsqueeze(1)).any(1), targets, best.select(1, 0));
}

/** How many labels each sample has beside one another: pixels of an image, say. */
function positionsOf(targets: Tensor, options: TaskOptions): number {
  return targets.shape.slice(options.task === 'multilabel' ? 2 : 1).reduce((product, size) => product * size, 1);
}
