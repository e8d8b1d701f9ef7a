import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { noGrad } from '../../autograd/modes.js';
import { arange } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { checkInput } from '../checks.js';

export interface EmbeddingBagOptions {
  /** Where each bag begins; needed where `input` has one dimension. Default: none. */
  offsets?: Tensor | null;
  /** Rows that are longer are shortened, in place. Default: none. */
  maxNorm?: number | null;
  /** The norm that `maxNorm` is about. Default: 2. */
  normType?: number;
  /** Divides gradients by how often their row occurs. Default: false. */
  scaleGradByFreq?: boolean;
  /** How the rows of a bag become one. Default: `'mean'`. */
  mode?: 'sum' | 'mean' | 'max';
  /** Whether the gradient of `weight` is a sparse tensor. Default: false. */
  sparse?: boolean;
  /** A weight for each row, of the input's shape, with `mode: 'sum'`. Default: none. */
  perSampleWeights?: Tensor | null;
  /** Whether `offsets` ends with the number of rows. Default: false. */
  includeLastOffset?: boolean;
  /** The row that counts for nothing and gets no gradient. Default: none. */
  paddingIdx?: number | null;
}

type Order = [
  'offsets',
  'maxNorm',
  'normType',
  'scaleGradByFreq',
  'mode',
  'sparse',
  'perSampleWeights',
  'includeLastOffset',
  'paddingIdx',
];

const bag = aten<Tensor[]>('embedding_bag.padding_idx');

function refuse(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `embeddingBag: ${problem}.`);
}

function check(input: Tensor, weight: Tensor, given: Required<EmbeddingBagOptions>): void {
  const { offsets, mode, perSampleWeights, scaleGradByFreq, sparse } = given;
  checkInput('embeddingBag', input);
  checkInput('embeddingBag', weight);
  if (weight.dim() !== 2) refuse(`weight must have two dimensions, got [${weight.shape.join(', ')}]`);
  if (perSampleWeights !== null) {
    if (String(perSampleWeights.shape) !== String(input.shape)) refuse("perSampleWeights must have the input's shape");
    if (mode !== 'sum') refuse(`perSampleWeights needs mode 'sum', got ${show(mode)}`);
  }
  if (input.dim() !== 1 && input.dim() !== 2) refuse(`input must have one or two dimensions, got ${input.dim()}`);
  if (input.dim() === 2 && offsets !== null) refuse('an input of two dimensions has its bags in its rows: no offsets');
  if (input.dim() === 1 && offsets?.dim() !== 1) refuse('an input of one dimension needs offsets of one dimension');
  if (mode === 'max' && scaleGradByFreq) refuse("mode 'max' does not go with scaleGradByFreq");
  if (mode === 'max' && sparse) refuse("mode 'max' does not go with sparse gradients");
}

/**
 * Sums, means or maxima of the rows of `weight` that the bags of `input` name: an input [bags, length], or [indices] with `offsets` [bags].
 * As `torch.nn.functional.embedding_bag`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.embeddingBag(tensor([[0, 1]]), tensor([[1, 2], [3, 5.5]]), { mode: 'sum' }); // tensor([[4.0000, 7.5000]])
 */
export function embeddingBag(input: Tensor, weight: Tensor, ...rest: Rest<EmbeddingBagOptions, Order>): Tensor {
  const given = named<EmbeddingBagOptions>('embeddingBag', rest, {
    offsets: null,
    maxNorm: null,
    normType: 2,
    scaleGradByFreq: false,
    mode: 'mean',
    sparse: false,
    perSampleWeights: null,
    includeLastOffset: false,
    paddingIdx: null,
  });
  check(input, weight, given);
  let { offsets, perSampleWeights, includeLastOffset } = given;
  const number = ['sum', 'mean', 'max'].indexOf(given.mode);
  if (number < 0) refuse(`mode must be 'sum', 'mean' or 'max', got ${show(given.mode)}`);
  if (input.dim() === 2) {
    offsets = arange(0, input.numel(), input.size(1), { dtype: input.dtype, device: input.device });
    includeLastOffset = false;
    input = input.reshape([-1]);
    perSampleWeights = perSampleWeights?.reshape([-1]) ?? null;
  }
  const { maxNorm, normType, scaleGradByFreq, sparse, paddingIdx } = given;
  if (maxNorm !== null) noGrad(() => operators.embeddingRenorm_(weight, input.contiguous(), maxNorm, normType));
  const settings = [scaleGradByFreq, number, sparse, perSampleWeights, includeLastOffset, paddingIdx];
  return bag(weight, input, offsets, ...settings)[0]!;
}
