import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { isOptions } from '../signature.js';
import { Tensor } from '../tensor/tensor.js';
import { fraction } from '../kinds.js';

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
  if (fraction.accepts(p)) return p;
  throw new AiforgeError('INVALID_ARGUMENT', `dropout: expected a probability between 0 and 1, got ${show(p)}.`);
}

/** Throws unless a forward that looks at its input itself was given a tensor. */
export function checkInput(layer: string, input: unknown, parameter?: string): asserts input is Tensor {
  if (Tensor.isTensor(input)) return;
  const problem = parameter === undefined ? 'expected a Tensor' : `${parameter} must be a Tensor`;
  throw new AiforgeError('INVALID_ARGUMENT', `${layer}: ${problem}, got ${show(input)}.`);
}

/** Throws for arguments of a forward after those that it takes; undefined is not given. */
export function refuseSurplus(layer: object, given: ArrayLike<unknown>, taken: number): void {
  const surplus = Array.from(given).slice(taken);
  if (surplus.every((value) => value === undefined)) return;
  const name = `${layer.constructor.name}.forward`;
  const count = taken === 1 ? 'one argument' : `${taken} arguments`;
  const hint = isOptions(surplus.at(-1)) ? '; options are given to the constructor' : '';
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name} takes ${count}, got ${surplus.map(show).join(', ')} after ${taken === 1 ? 'it' : 'them'}${hint}.`,
  );
}
