import { boolean, number, whole, orNull, type Kinds } from '../../kinds.js';
import { noGrad } from '../../autograd/modes.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkPaddingIdx, checkInput } from '../checks.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';

export { oneHot } from '../../tensor/generated/nn.js';

export interface EmbeddingOptions {
  /** The row that gets no gradient; negative ones count from the end. Default: none. */
  paddingIdx?: number | null;
  /** Rows that are longer are shortened, in place. Default: none. */
  maxNorm?: number | null;
  /** The norm that `maxNorm` is about. Default: 2. */
  normType?: number;
  /** Divides gradients by how often their row occurs. Default: false. */
  scaleGradByFreq?: boolean;
  /** Whether the gradient of `weight` is a sparse tensor. Default: false. */
  sparse?: boolean;
}

export const embeddingOptions: Kinds<EmbeddingOptions> = {
  paddingIdx: orNull(whole),
  maxNorm: orNull(number),
  normType: number,
  scaleGradByFreq: boolean,
  sparse: boolean,
};

type EmbeddingOrder = ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'sparse'];

/**
 * The rows of `weight` that `input`, a tensor of integers, names: from [...] to [..., embeddingDim]. As
 * `torch.nn.functional.embedding`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.embedding(tensor([1, 0]), tensor([[1, 2.5], [3, 4]])).tolist(); // [[3, 4], [1, 2.5]]
 */
export function embedding(input: Tensor, weight: Tensor, ...rest: Rest<EmbeddingOptions, EmbeddingOrder>): Tensor {
  checkInput('embedding', weight, 'weight');
  const { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse } = named<EmbeddingOptions>('embedding', rest, {
    paddingIdx: null,
    maxNorm: null,
    normType: 2,
    scaleGradByFreq: false,
    sparse: false,
  });
  const padding = paddingIdx === null ? -1 : checkPaddingIdx(paddingIdx, weight.size(0));
  if (maxNorm !== null) {
    const indices = input.contiguous();
    noGrad(() => operators.embeddingRenorm_(weight, indices, maxNorm, normType));
    return operators.embedding(weight, indices, padding, scaleGradByFreq, sparse);
  }
  return operators.embedding(weight, input, padding, scaleGradByFreq, sparse);
}
