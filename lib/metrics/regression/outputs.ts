import { AiforgeError } from '../../errors.js';
import { Tensor } from '../../tensor/index.js';
import { show } from '../../show.js';

export interface OutputOptions {
  /** How many numbers are predicted for each sample. Default: 1. */
  numOutputs?: number;
}

/** Throws unless predictions and targets have one shape, of so many outputs. */
export function checkPair(name: string, predictions: unknown, targets: unknown, outputs: number): void {
  if (
    !Tensor.isTensor(predictions) ||
    !Tensor.isTensor(targets) ||
    String(predictions.shape) !== String(targets.shape)
  ) {
    throw refusal(name, 'predictions and targets must be tensors of one shape', [predictions, targets]);
  }
  if (outputs > 1 && (predictions.ndim !== 2 || predictions.size(1) !== outputs)) {
    throw refusal(name, `predictions must be of shape [batch, ${outputs}]`, [predictions]);
  }
}

/** All numbers in a column, or the columns that there are, as floating-point numbers. */
export function columns(values: Tensor, outputs: number): Tensor {
  const numbers = values.isFloatingPoint() ? values : values.to('float32');
  return outputs === 1 ? numbers.reshape([-1]) : numbers;
}

const refusal = (name: string, expected: string, got: unknown[]) =>
  new AiforgeError('INVALID_ARGUMENT', `${name}: ${expected}, got ${got.map(show).join(' and ')}.`);
