import { show } from '../../show.js';
import { isOptions } from '../../signature.js';
import { everyItem, isInteger } from '../calls/recognition.js';
import * as f from '../generated/functions.js';
import { Tensor } from '../tensor.js';
import { invalid, tensorList } from './named.js';

// Functions of any number of tensors, given one by one or as one list.

const isSize = (value: unknown): value is number => isInteger(value) && value >= 0;

type Subscripts = readonly (number | '...')[];

function letter(subscript: number | '...'): string {
  if (subscript === '...') return subscript;
  if (Number.isInteger(subscript) && subscript >= 0 && subscript < 52) {
    return String.fromCharCode(subscript < 26 ? 65 + subscript : 97 + subscript - 26);
  }
  throw invalid('einsum', `a subscript is '...' or a whole number in 0 … 51, got ${show(subscript)}`);
}

const letters = (subscripts: unknown): string => {
  if (!Array.isArray(subscripts)) throw invalid('einsum', 'expected a list of subscripts after each operand');
  return (subscripts as Subscripts).map(letter).join('');
};

/** `einsum(a, [0, 1], b, [1, 2], [0, 2])` as equation and operands. */
function fromSubscripts(args: unknown[]): [string, Tensor[]] {
  const isOutputGiven = args.length % 2 === 1;
  const pairs = isOutputGiven ? args.slice(0, -1) : args;
  const inputs = pairs.filter((_, i) => i % 2 === 1).map(letters);
  const output = isOutputGiven ? `->${letters(args.at(-1))}` : '';
  return [inputs.join(',') + output, tensorList('einsum', pairs.filter((_, i) => i % 2 === 0))]; // prettier-ignore
}

/**
 * Sums products of elements along dimensions that share a letter, as `torch.einsum`: an equation and operands (one by one
 * or as a list), or each operand followed by its list of subscripts. Three operands and more are contracted from the left.
 *
 * @throws AiforgeError OPERATOR_FAILED when the equation does not fit the operands.
 * @example
 * import { einsum, ones } from 'aiforge';
 * einsum('ij,jk->ik', ones(2, 3), ones(3, 4)).shape; // [2, 4]
 * einsum(ones(2, 3), [0, 1], ones(3, 4), [1, 2], [0, 2]).shape; // [2, 4]
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor;
export function einsum(equation: string, operands: readonly Tensor[]): Tensor;
export function einsum(operand: Tensor, subscripts: Subscripts, ...rest: (Tensor | Subscripts)[]): Tensor;
export function einsum(...args: unknown[]): Tensor {
  const [equation, operands] =
    typeof args[0] === 'string' ? [args[0], tensorList('einsum', args.slice(1))] : fromSubscripts(args);
  if (operands.length === 0) throw invalid('einsum', 'expected at least one operand');
  return f.einsum(equation, operands);
}

/**
 * Grids of coordinates from vectors: result i has vector i's values along dimension i. `indexing` 'xy' swaps the first two
 * dimensions, as NumPy does by default; PyTorch's default, and this one's, is 'ij'.
 *
 * @example
 * import { arange, meshgrid } from 'aiforge';
 * const [x, y] = meshgrid(arange(2), arange(3));
 * x.shape; // [2, 3]
 */
export function meshgrid(...args: (Tensor | { indexing?: 'ij' | 'xy' })[]): Tensor[];
export function meshgrid(tensors: readonly Tensor[], options?: { indexing?: 'ij' | 'xy' }): Tensor[];
export function meshgrid(...args: unknown[]): Tensor[] {
  const options = isOptions(args.at(-1)) ? (args.at(-1) as { indexing?: 'ij' | 'xy' }) : undefined;
  const tensors = tensorList('meshgrid', options === undefined ? args : args.slice(0, -1));
  return f.meshgrid(tensors, { indexing: options?.indexing ?? 'ij' });
}

interface Variadic<Result> {
  (...tensors: Tensor[]): Result;
  (tensors: readonly Tensor[]): Result;
}

const variadic =
  <Result>(name: string, body: (tensors: Tensor[]) => Result): Variadic<Result> =>
  (...args: unknown[]) =>
    body(tensorList(name, args));

/** The tensors expanded to the shape that they broadcast to: `torch.broadcast_tensors`. */
export const broadcastTensors = variadic('broadcastTensors', (tensors) => f.broadcastTensors(tensors));

/** A matrix with the tensors along its diagonal: `torch.block_diag`. */
export const blockDiag = variadic('blockDiag', (tensors) => f.blockDiag(tensors));

/** All combinations of the vectors' elements, one a row: `torch.cartesian_prod`. */
export const cartesianProd = variadic('cartesianProd', (tensors) => f.cartesianProd(tensors));

/** The product of matrices, in the order that costs least: `torch.chain_matmul`. */
export const chainMatmul = variadic('chainMatmul', (tensors) => f.chainMatmul(tensors));

interface AtLeast {
  (tensor: Tensor): Tensor;
  (...tensors: [Tensor, Tensor, ...Tensor[]]): Tensor[];
  (tensors: readonly Tensor[]): Tensor[];
}

const atLeast = (one: (tensor: Tensor) => Tensor, name: string): AtLeast =>
  ((...args: unknown[]) =>
    args.length === 1 && Tensor.isTensor(args[0]) ? one(args[0]) : tensorList(name, args).map(one)) as AtLeast;

/** Tensors without a dimension get one; others stay: `torch.atleast_1d`. One tensor in, one out; several give a list. */
export const atleast1d = atLeast((tensor) => f.atleast1d(tensor), 'atleast1d');

/** Tensors of fewer than two dimensions get leading ones: `torch.atleast_2d`. */
export const atleast2d = atLeast((tensor) => f.atleast2d(tensor), 'atleast2d');

/** Tensors of fewer than three dimensions get more, as `torch.atleast_3d` adds them: a vector becomes [1, n, 1]. */
export const atleast3d = atLeast((tensor) => f.atleast3d(tensor), 'atleast3d');

/**
 * The shape that shapes broadcast to; a number is a shape of one dimension.
 *
 * @throws AiforgeError INVALID_ARGUMENT when they do not.
 * @example
 * import { broadcastShapes } from 'aiforge';
 * broadcastShapes([2, 1], [3]); // [2, 3]
 */
export function broadcastShapes(...shapes: (number | readonly number[])[]): number[] {
  const lists = shapes.map((shape) => (typeof shape === 'number' ? [shape] : shape));
  for (const shape of lists) {
    if (Array.isArray(shape) && everyItem(shape, isSize)) continue;
    throw invalid('broadcastShapes', `a shape is a list of sizes, whole numbers of at least 0, got ${show(shape)}`);
  }
  const result = new Array<number>(Math.max(0, ...lists.map((shape) => shape.length))).fill(1);
  for (const shape of lists) {
    const offset = result.length - shape.length;
    for (const [i, size] of shape.entries()) {
      if (size === 1 || size === result[offset + i]) continue;
      if (result[offset + i] !== 1) {
        throw invalid('broadcastShapes', `${lists.map((s) => `[${s.join(', ')}]`).join(' and ')} do not broadcast`);
      }
      result[offset + i] = size;
    }
  }
  return result;
}
