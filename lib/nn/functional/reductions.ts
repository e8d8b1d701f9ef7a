import { AiforgeError } from '../../errors.js';
import { oneOf, type Kinds } from '../../kinds.js';
import { broadcastTensors } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reductionNumber, type Reduction } from '../operators.js';
import { warnOnce } from '../../warnOnce.js';
import { checkInput } from '../checks.js';

// The deprecated parameters size_average and reduce of Python's signatures are not there: `reduction` says it all.

export interface ReductionOptions {
  /** `'none'` leaves the losses of the elements, `'mean'` and `'sum'` make them one number. Default: `'mean'`. */
  reduction?: Reduction;
}

export const reductionOptions: Kinds<ReductionOptions> = { reduction: oneOf('none', 'mean', 'sum') };

export const sizes = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;

export function refuse(name: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}.`);
}

function sameShape(name: string, input: Tensor, other: Tensor, parameter: string): boolean {
  checkInput(name, input, 'input');
  checkInput(name, other, parameter);
  const [first, second] = [input.shape, other.shape];
  return first.length === second.length && first.every((size, i) => size === second[i]);
}

/** The two in one shape: a target of another shape is most often a mistake, so it is said in the log. */
export function broadcastTarget(name: string, input: Tensor, target: Tensor): [Tensor, Tensor] {
  if (sameShape(name, input, target, 'target')) return [input, target];
  warnOnce(`${name}: the target has shape ${sizes(target)}, the input ${sizes(input)}: they are broadcast.`);
  return broadcastTensors([input, target]) as [Tensor, Tensor];
}

export function checkTargetShape(name: string, input: Tensor, target: Tensor): void {
  if (sameShape(name, input, target, 'target')) return;
  refuse(name, `the target must have the input's shape ${sizes(input)}, got ${sizes(target)}`);
}

export function checkWeightShape(weight: Tensor, input: Tensor): void {
  if (sameShape('A loss', input, weight, 'weight')) return;
  refuse('weight', `expected the input's shape ${sizes(input)}, got ${sizes(weight)}`);
}

/** Losses of elements as one number. */
export function reduce(losses: Tensor, reduction: Reduction): Tensor {
  reductionNumber(reduction);
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.mean();
}
