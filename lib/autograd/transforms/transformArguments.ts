import { AiforgeError } from '../../errors.js';
import { kind } from '../../kinds.js';
import { show } from '../../show.js';
import { Tensor } from '../../tensor/tensor.js';
import { flattenTree } from '../pytree.js';

/** Which arguments are differentiated: one, or several, for which the results come in an array. */
export type Argnums = number | readonly number[];

/** The arguments of a function, or values for each of them. */
export const argumentList = kind<readonly unknown[]>('an array with an item for each argument of fn', Array.isArray);

export function invalid(message: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', message);
}

function position(name: string, argnum: unknown, count: number): number {
  if (typeof argnum !== 'number' || !Number.isInteger(argnum)) {
    throw invalid(`${name}: argnums must be a whole number or an array of them, got ${show(argnum)}.`);
  }
  if (argnum < -count || argnum >= count) {
    throw invalid(`${name}: got argnums ${argnum}, but the function was given ${count} arguments.`);
  }
  return argnum < 0 ? argnum + count : argnum;
}

/** The positions of the differentiated arguments, counted from the first. */
export function positionsOf(name: string, argnums: Argnums, count: number): number[] {
  if (!Array.isArray(argnums)) return [position(name, argnums, count)];
  const positions = argnums.map((argnum) => position(name, argnum, count));
  if (positions.length === 0) throw invalid(`${name}: argnums must not be empty.`);
  if (new Set(positions).size !== positions.length) {
    throw invalid(`${name}: argnums must be different arguments, got [${argnums.join(', ')}].`);
  }
  return positions;
}

/** A list of tensors, of which there must be some and nothing else. */
export function onlyTensors(name: string, what: string, leaves: readonly unknown[]): Tensor[] {
  if (leaves.length === 0) throw invalid(`${name}: expected ${what} to have at least one Tensor.`);
  for (const leaf of leaves) {
    if (!Tensor.isTensor(leaf)) throw invalid(`${name}: expected ${what} to have Tensors only, got ${show(leaf)}.`);
  }
  return leaves as Tensor[];
}

/** A function's `[output, aux]`. */
export function splitAux(name: string, result: unknown): [output: unknown, aux: unknown] {
  if (Array.isArray(result) && result.length === 2) return result as [unknown, unknown];
  throw invalid(`${name}: with hasAux the function must return [output, aux], got ${show(result)}.`);
}

export function refuseComplex(name: string, what: string, tree: unknown): void {
  const index = flattenTree(tree).leaves.findIndex((leaf) => Tensor.isTensor(leaf) && leaf.dtype.startsWith('complex'));
  if (index >= 0) throw invalid(`${name}: expected all ${what} to be real, got a complex tensor at position ${index}.`);
}
