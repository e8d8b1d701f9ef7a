import { AiforgeError } from '../../errors.js';
import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Buffer } from '../buffer.js';
import { findMember } from '../members/registry.js';
import { Module } from '../module.js';
import { refuse } from '../modules/containers.js';
import { registerParametrization, type Parametrized } from '../parametrize/register.js';
import {
  checkIterations,
  outputDim,
  toMatrix,
  unit,
  spectralNormOptions,
  type SpectralNormOptions,
} from './powerIteration.js';
import { moduleKind } from '../moduleKinds.js';

class _SpectralNorm extends Module {
  readonly dim: number;
  readonly eps: number;
  readonly nPowerIterations: number;
  declare _u: Tensor;
  declare _v: Tensor;

  constructor(weight: Tensor, nPowerIterations: number, dim: number, eps: number) {
    super();
    const dims = weight.dim();
    if (!Number.isInteger(dim) || dim >= dims || dim < -dims) {
      throw new AiforgeError('INVALID_ARGUMENT', `spectralNorm: the weight has ${dims} dimensions, got dim ${dim}.`);
    }
    this.dim = dim < 0 ? dim + dims : dim;
    this.eps = eps;
    this.nPowerIterations = checkIterations(nPowerIterations);
    if (dims > 1) this.draw(weight);
  }

  private draw(weight: Tensor): void {
    scope(() => {
      const matrix = noGrad(() => toMatrix(weight, this.dim));
      const [height, width] = matrix.shape;
      const [u, v] = [height!, width!].map((size) => matrix.newEmpty([size]).normal_(0, 1));
      this._u = new Buffer(unit(u!, this.eps));
      this._v = new Buffer(unit(v!, this.eps));
      this.iterate(matrix, 15);
    });
  }

  private iterate(matrix: Tensor, count: number): void {
    scope(() =>
      noGrad(() => {
        for (let i = 0; i < count; ++i) {
          this._u.copy_(unit(matrix.mv(this._v), this.eps));
          this._v.copy_(unit(matrix.mH.mv(this._u), this.eps));
        }
      }),
    );
  }

  override forward(weight: Tensor): Tensor {
    if (weight.dim() === 1) return unit(weight, this.eps);
    const matrix = toMatrix(weight, this.dim);
    if (this.training) this.iterate(matrix, this.nPowerIterations);
    // Copies: another forward pass may change the vectors before the backward pass of this one.
    const [u, v] = [this._u.clone(), this._v.clone()];
    return weight.div(u.vdot(matrix.mv(v)));
  }

  rightInverse(value: Tensor): Tensor {
    return value;
  }
}

const takes = signature({ module: moduleKind }, spectralNormOptions);

/**
 * Divides a weight by its largest singular value, which a power iteration estimates. As
 * `torch.nn.utils.parametrizations.spectral_norm`.
 *
 * @example
 * import { linalg, nn } from 'aiforge';
 * const layer = nn.utils.parametrizations.spectralNorm(new nn.Linear(20, 40));
 * const norm = linalg.matrixNorm(layer.weight, 2).item();
 * Math.abs(norm - 1) < 0.2; // true
 */
export function spectralNorm<M extends Module>(module: M, options: SpectralNormOptions = {}): Parametrized<M> {
  takes.check('spectralNorm', arguments);
  const { name = 'weight', nPowerIterations = 1, eps = 1e-12, dim = null } = options;
  const weight = tensorOf(module, name);
  const norm = new _SpectralNorm(weight, nPowerIterations, dim ?? outputDim(module), eps);
  return registerParametrization(module, name, norm);
}

/** The tensor of that name of a module, parametrized or not. */
export function tensorOf(module: Module, name: string): Tensor {
  const value: unknown = Reflect.get(module, module[findMember](name)?.property ?? name);
  return (value as Tensor | undefined) ?? refuse(`${module.constructor.name} has no parameter or buffer '${name}'.`);
}
