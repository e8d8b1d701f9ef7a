import { AiforgeError } from '../errors.js';
import { native, type Handle } from '../native.js';
import { enterContext } from '../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../tensor/tensor.js';
import { callNow } from './transforms/transform.js';
import { func } from '../kinds.js';
import { signature } from '../signature.js';
import { tensorKind } from '../tensor/kinds.js';

const makeDualOp = native.registerOperators(['_make_dual', '_unpack_dual']);
const unpackDualOp = makeDualOp + 1;

// LibTorch has one level at a time, and this is its index.
const level = 0;

/** A dual tensor's value and its tangent, which is null where it has none. */
export interface UnpackedDual {
  primal: Tensor;
  tangent: Tensor | null;
}

const dualLevelTakes = signature({ body: func() });
const makeDualTakes = signature({ primal: tensorKind, tangent: tensorKind });
const unpackDualTakes = signature({ dual: tensorKind });

/**
 * Runs `body` in a level of forward-mode differentiation: tangents given to `makeDual` flow through operators, and end
 * with the level. `body` must be synchronous. As `torch.autograd.forward_ad.dual_level`.
 *
 * @throws AiforgeError INVALID_ARGUMENT inside another level, and when `body` returns a promise.
 * @example
 * import { autograd, tensor } from 'aiforge';
 * const { dualLevel, makeDual, unpackDual } = autograd.forwardAd;
 * const x = tensor([1, 2.5]);
 * const slope = dualLevel(() => unpackDual(makeDual(x, tensor([1, 0.5])).mul(x)).tangent);
 * slope.tolist(); // [1, 1.25]
 */
export function dualLevel<T>(body: () => T): T {
  dualLevelTakes.check('dualLevel', arguments);
  enterContext();
  native.enterDualLevel();
  try {
    return callNow('dualLevel', body, []);
  } finally {
    native.exitDualLevel();
  }
}

/** Whether an operator takes and gives fractions, so that it can have a tangent. */
function checkDifferentiable(name: string, { dtype }: Tensor): void {
  if (/^(b?float|complex)/.test(dtype)) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `makeDual: expected the ${name} to be floating point or complex, got ${dtype}.`,
  );
}

/**
 * A tensor with the value of `primal` and the tangent `tangent`. As `torch.autograd.forward_ad.make_dual`.
 *
 * @throws AiforgeError INVALID_ARGUMENT outside `dualLevel` and for integers.
 */
export function makeDual(primal: Tensor, tangent: Tensor): Tensor {
  makeDualTakes.check('makeDual', arguments);
  if (!native.hasDualLevel()) {
    throw new AiforgeError('INVALID_ARGUMENT', 'makeDual: a tangent lives in a level: call it inside dualLevel().');
  }
  checkDifferentiable('primal', primal);
  checkDifferentiable('tangent', tangent);
  enterContext();
  return wrapHandle(native.call(makeDualOp, handleOf(primal), handleOf(tangent), level) as Handle);
}

/** The value and the tangent of a tensor. As `torch.autograd.forward_ad.unpack_dual`. */
export function unpackDual(dual: Tensor): UnpackedDual {
  unpackDualTakes.check('unpackDual', arguments);
  if (!native.hasDualLevel()) return { primal: dual, tangent: null };
  enterContext();
  const [primal, tangent] = native.call(unpackDualOp, handleOf(dual), level) as [Handle, Handle | null];
  return { primal: wrapHandle(primal), tangent: tangent === null ? null : wrapHandle(tangent) };
}
