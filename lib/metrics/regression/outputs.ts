import type { Tensor } from '../../tensor/index.js';
import { checkPair, refusal } from '../pairs.js';

export interface OutputOptions {
  /** How many numbers are predicted for each sample. Default: 1. */
  numOutputs?: number;
}

/** Throws unless predictions and targets are a pair, of so many outputs; those of one may have any shape. */
export function checkOutputs(name: string, predictions: Tensor, targets: Tensor, outputs: number): void {
  checkPair(name, predictions, targets);
  if (outputs > 1 && (predictions.ndim !== 2 || predictions.size(1) !== outputs)) {
    throw refusal(name, `predictions must be of shape [batch, ${outputs}]`, [predictions]);
  }
}

/** Throws unless predictions and targets are a pair of shape [batch, outputs], or [batch] of one output. */
export function checkRows(name: string, predictions: Tensor, targets: Tensor, outputs: number): void {
  checkOutputs(name, predictions, targets, outputs);
  if (outputs > 1 || predictions.ndim === 1 || (predictions.ndim === 2 && predictions.size(1) === 1)) return;
  const hint = predictions.ndim === 2 ? `; numOutputs: ${predictions.size(1)} takes them` : '';
  throw refusal(name, 'predictions of one output must be of shape [batch]', [predictions], hint);
}

/** All numbers in a column, or the columns that there are, as float64. */
export function columns(values: Tensor, outputs: number): Tensor {
  const numbers = values.to('float64');
  return outputs === 1 ? numbers.reshape([-1]) : numbers;
}

/** A row for each sample, float64 [batch, outputs]. */
export const rows = (values: Tensor, outputs: number): Tensor => values.to('float64').reshape([-1, outputs]);
