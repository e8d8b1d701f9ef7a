import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { Tensor } from '../tensor/index.js';

/** Throws unless predictions and targets are real numbers of one shape on one device. */
export function checkPair(name: string, predictions: unknown, targets: unknown): void {
  if (
    !Tensor.isTensor(predictions) ||
    !Tensor.isTensor(targets) ||
    String(predictions.shape) !== String(targets.shape)
  ) {
    throw refusal(name, 'predictions and targets must be tensors of one shape', [predictions, targets]);
  }
  if (predictions.isComplex() || targets.isComplex()) {
    throw refusal(name, 'predictions and targets must be real numbers', [predictions, targets]);
  }
  if (predictions.device !== targets.device) {
    throw refusal(name, 'predictions and targets must be on one device', [predictions.device, targets.device]);
  }
}

/** The error for a batch that a metric does not take. */
export function refusal(name: string, expected: string, got: readonly unknown[], hint = ''): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `${name}: ${expected}, got ${got.map(show).join(' and ')}${hint}.`);
}
