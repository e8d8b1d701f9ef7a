import { noGrad } from '../../autograd/modes.js';
import { randperm } from '../../tensor/generated/functions.js';
import { qr } from '../../tensor/generated/linalg.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Rest } from '../functional/arguments.js';
import { refuse, sizes } from '../functional/reductions.js';
import { initArguments } from './arguments.js';
import { generatorOptions, type GeneratorOptions } from './distributions.js';
import { gainArguments, type GainOptions } from './variance.js';
import { fraction, number } from '../../kinds.js';
import { signature } from '../../signature.js';

/**
 * A random matrix with orthogonal rows or columns; dimensions after the first count as one. As
 * `torch.nn.init.orthogonal_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for less than two dimensions.
 * @example
 * import { nn, zeros } from 'aiforge';
 * const m = nn.init.orthogonal_(zeros([2, 3]));
 * m.matmul(m.t()).round().abs().tolist(); // [[1, 0], [0, 1]]
 */
export function orthogonal_<T extends Tensor>(tensor: T, ...rest: Rest<GainOptions, ['gain', 'generator']>): T {
  const { gain, generator } = gainArguments('orthogonal_', tensor, rest);
  if (tensor.dim() < 2) refuse('orthogonal_', `expected 2 dimensions or more, got ${sizes(tensor)}`);
  if (tensor.numel() === 0 || tensor.isMeta) return tensor;
  const rows = tensor.size(0);
  const columns = tensor.numel() / rows;
  scope(() =>
    noGrad(() => {
      const flat = tensor.newEmpty([rows, columns]).normal_(0, 1, { generator });
      const [q, r] = qr(rows < columns ? flat.t() : flat);
      q.mul_(r.diag().sign());
      const result = rows < columns ? q.t() : q;
      tensor.viewAs(result).copy_(result);
      tensor.mul_(gain);
    }),
  );
  return tensor;
}

export interface SparseOptions extends GeneratorOptions {
  /** The fraction of each column that is 0. */
  sparsity: number;
  /** The deviation of the others. Default: 0.01. */
  std?: number;
}

const sparseTakes = signature<SparseOptions>({}, { sparsity: fraction, std: number, ...generatorOptions });

/**
 * Draws from a normal distribution, then zeroes a fraction of each column; which ones is drawn from the default
 * generator, as PyTorch has it. As `torch.nn.init.sparse_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT unless there are two dimensions.
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.sparse_(zeros([4, 3]), 0.5).eq(0).sum(0).tolist(); // [2, 2, 2]
 */
export function sparse_<T extends Tensor>(
  tensor: T,
  ...rest: Rest<SparseOptions, ['sparsity', 'std', 'generator']>
): T {
  const defaults = { sparsity: undefined, std: 0.01, generator: null };
  const { sparsity, std, generator } = initArguments<SparseOptions>('sparse_', tensor, rest, defaults, sparseTakes);
  const [rows, columns, ...more] = tensor.shape;
  if (rows === undefined || columns === undefined || more.length > 0) {
    refuse('sparse_', `expected 2 dimensions, got ${sizes(tensor)}`);
  }
  if (tensor.isMeta) return tensor;
  const zeroed = Math.min(rows, Math.ceil(sparsity * rows));
  scope(() =>
    noGrad(() => {
      tensor.normal_(0, std, { generator });
      for (let column = 0; column < columns; ++column) {
        tensor.select(1, column).indexFill_(0, randperm(rows).narrow(0, 0, zeroed), 0);
      }
    }),
  );
  return tensor;
}
