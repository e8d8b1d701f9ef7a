import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { Tensor } from '../tensor/tensor.js';

/** A `paddingIdx` counted from the start; throws when the table has no such row. */
export function checkPaddingIdx(paddingIdx: number, rows: number): number {
  if (Number.isInteger(paddingIdx) && paddingIdx >= -rows && paddingIdx < rows) {
    return paddingIdx < 0 ? rows + paddingIdx : paddingIdx;
  }
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `embedding: paddingIdx ${paddingIdx} is no row of the ${rows} that there are.`,
  );
}

/** Throws unless `p` is a probability. */
export function checkProbability(p: number): number {
  if (p >= 0 && p <= 1) return p;
  throw new AiforgeError('INVALID_ARGUMENT', `dropout: expected a probability between 0 and 1, got ${show(p)}.`);
}

/** Throws unless a forward that looks at its input itself was given a tensor. */
export function checkInput(layer: string, input: unknown): asserts input is Tensor {
  if (Tensor.isTensor(input)) return;
  throw new AiforgeError('INVALID_ARGUMENT', `${layer}: expected a Tensor, got ${show(input)}.`);
}
