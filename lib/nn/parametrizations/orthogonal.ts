import { AiforgeError } from '../../errors.js';
import { boolean, string, oneOf, orNull, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { cat, eye, geqrf, randn, zerosLike } from '../../tensor/generated/functions.js';
import { householderProduct, matrixExp, solve } from '../../tensor/generated/linalg.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { registerParametrization, type Parametrized } from '../parametrize/register.js';
import { tensorOf } from './spectralNorm.js';
import { moduleKind } from '../moduleKinds.js';

const maps = ['matrix_exp', 'cayley', 'householder'] as const;
export type OrthogonalMap = (typeof maps)[number];

export interface OrthogonalOptions {
  /** The tensor. Default: `'weight'`. */
  name?: string;
  /** How an orthogonal matrix is made. Default: `'matrix_exp'` for square and complex matrices, else `'householder'`. */
  orthogonalMap?: OrthogonalMap | null;
  /** Whether maps are taken around the matrix that the weight was, so that any can be assigned. Default: true. */
  useTrivialization?: boolean;
}

const orthogonalOptions: Kinds<OrthogonalOptions> = {
  name: string,
  orthogonalMap: orNull(oneOf('matrix_exp', 'cayley', 'householder')),
  useTrivialization: boolean,
};

const epsilons: Partial<Record<string, number>> = {
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
  float32: 2 ** -23,
  complex64: 2 ** -23,
};

function isOrthogonal(q: Tensor): boolean {
  const [n, k] = [q.size(-2), q.size(-1)];
  const atol = 10 * n * (epsilons[q.dtype] ?? Number.EPSILON);
  return q.mH.matmul(q).allclose(eye(k, { dtype: q.dtype, device: q.device }), { atol });
}

function makeOrthogonal(a: Tensor): Tensor {
  const { a: x, tau } = geqrf(a);
  const q = householderProduct(x, tau);
  return q.mul_(x.diagonal({ dim1: -2, dim2: -1 }).sgn().unsqueeze(-2));
}

/** A tall matrix, or the transposed one of a wide one. */
const tall = (matrix: Tensor): [matrix: Tensor, transposed: boolean] =>
  matrix.size(-2) < matrix.size(-1) ? [matrix.mT, true] : [matrix, false];

class _Orthogonal extends Module {
  readonly shape: readonly number[];
  readonly orthogonalMap: OrthogonalMap;
  readonly useTrivialization: boolean;
  declare base: Tensor | null;

  constructor(weight: Tensor, orthogonalMap: OrthogonalMap, useTrivialization: boolean) {
    super();
    if (weight.dtype.startsWith('complex') && orthogonalMap === 'householder') {
      throw new AiforgeError('INVALID_ARGUMENT', "orthogonal: the map 'householder' is for real matrices only.");
    }
    this.shape = weight.shape;
    this.orthogonalMap = orthogonalMap;
    this.useTrivialization = useTrivialization;
    if (useTrivialization) this.registerBuffer('base', null);
  }

  override forward(input: Tensor): Tensor {
    const [x, transposed] = tall(input);
    let q = this.orthogonalMap === 'householder' ? householder(x) : this.retract(x);
    if (this.useTrivialization) q = this.base!.matmul(q);
    return transposed ? q.mT : q;
  }

  private retract(tallX: Tensor): Tensor {
    const [n, k] = [tallX.size(-2), tallX.size(-1)];
    let x = tallX.tril();
    if (n !== k) x = cat([x, x.newZeros([n, n - k]).expand([...x.shape.slice(0, -2), -1, -1])], -1);
    const a = x.sub(x.mH);
    const q = this.orthogonalMap === 'matrix_exp' ? matrixExp(a) : cayley(a, n);
    return n === k ? q : q.at('...', `:${k}`);
  }

  rightInverse(value: Tensor): Tensor | null {
    if (value.shape.join() !== this.shape.join()) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `orthogonal: expected matrices of shape [${this.shape.join(', ')}], got [${value.shape.join(', ')}].`,
      );
    }
    if (!this.useTrivialization && this.orthogonalMap !== 'householder') return null;
    return scope(() => noGrad(() => (this.useTrivialization ? this.rebase(value) : reflectors(value))));
  }

  /** Makes `value` the base that the map is taken around. */
  private rebase(value: Tensor): Tensor {
    const [q] = tall(value);
    const [n, k] = [q.size(-2), q.size(-1)];
    if (n === k) {
      this.base = isOrthogonal(q) ? q.clone() : makeOrthogonal(q);
    } else {
      const more = randn([...q.shape.slice(0, -2), n, n - k], { dtype: q.dtype, device: q.device });
      this.base = makeOrthogonal(cat([q, more], -1));
    }
    // The negative identity: its reflections make the identity.
    const identity = zerosLike(value);
    identity.diagonal({ dim1: -2, dim2: -1 }).fill_(-1);
    return identity;
  }
}

function cayley(a: Tensor, n: number): Tensor {
  const identity = eye(n, { dtype: a.dtype, device: a.device });
  return solve(identity.add(a, { alpha: -0.5 }), identity.add(a, { alpha: 0.5 }));
}

function householder(x: Tensor): Tensor {
  const a = x.tril(-1);
  const tau = a.mul(a).sum(-2).add(1).reciprocal().mul(2);
  const q = householderProduct(a, tau);
  return q.mul(x.diagonal({ dim1: -2, dim2: -1 }).to('int32').unsqueeze(-2));
}

/** The reflections whose product is a matrix, or the orthogonal one of its QR decomposition. */
function reflectors(value: Tensor): Tensor {
  const [q, transposed] = tall(value);
  const { a, tau } = geqrf(q);
  const signs = a.diagonal({ dim1: -2, dim2: -1 });
  signs.sign_();
  signs.set(tau.eq(0), signs.at(tau.eq(0)).mul(-1));
  return transposed ? a.mT : a;
}

const takes = signature({ module: moduleKind }, orthogonalOptions);

/**
 * Keeps the matrices of a weight orthogonal, or unitary: their rows, or for wide ones the columns, have length 1 and stand
 * at right angles. As `torch.nn.utils.parametrizations.orthogonal`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a tensor of one dimension and for an unknown map.
 * @example
 * import { eye, nn } from 'aiforge';
 * const layer = nn.utils.parametrizations.orthogonal(new nn.Linear(20, 20));
 * const { weight } = layer;
 * weight.t().matmul(weight).allclose(eye(20), { atol: 1e-5 }); // true
 */
export function orthogonal<M extends Module>(module: M, options: OrthogonalOptions = {}): Parametrized<M> {
  takes.check('orthogonal', arguments);
  const { name = 'weight', orthogonalMap = null, useTrivialization = true } = options;
  const weight = tensorOf(module, name);
  if (weight.dim() < 2) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `orthogonal: expected matrices, got a tensor of ${weight.dim()} dimensions.`,
    );
  }
  const isSquare = weight.size(-2) === weight.size(-1);
  const map = orthogonalMap ?? (isSquare || weight.dtype.startsWith('complex') ? 'matrix_exp' : 'householder');
  if (!maps.includes(map)) {
    throw new AiforgeError('INVALID_ARGUMENT', `orthogonal: expected a map of ${maps.join(', ')}, got ${show(map)}.`);
  }
  return registerParametrization(module, name, new _Orthogonal(weight, map, useTrivialization), { unsafe: true });
}
