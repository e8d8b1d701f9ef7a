import { AiforgeError } from '../../errors.js';
import { native } from '../../native.js';
import { enterContext, isThenable, runInContext } from '../../tensor/context/context.js';
import { handleOf, Tensor, wrapHandle } from '../../tensor/tensor.js';
import { flattenTree, unflattenTree } from '../pytree.js';
import { func } from '../../kinds.js';
import { signature } from '../../signature.js';

/** Runs `body` inside a function transform that `enter` begins; it ends in any case. */
export function inTransform<T>(enter: () => number, body: (level: number) => T): T {
  enterContext();
  const level = enter();
  try {
    return body(level);
  } finally {
    // The autograd modes of the body end before the transform that they were set in.
    enterContext();
    native.exitTransform();
  }
}

/** Runs `body` inside a transform that records gradients, whatever the modes outside. */
export function inGradTransform<T>(body: (level: number) => T): T {
  return inTransform(native.enterGrad, (level) =>
    runInContext({ gradEnabled: true, inference: false }, () => body(level)),
  );
}

const callTakes = signature({ body: func() });

/** Calls a function that a transform runs: it must be done when it returns, since the transform ends then. */
export function callNow<T>(name: string, fn: (...args: never[]) => T, args: readonly unknown[]): T {
  if (typeof fn !== 'function') callTakes.check(name, [fn]);
  const result = fn(...(args as never[]));
  if (!isThenable(result)) return result;
  // What it goes on to do with tensors of the transform fails; that failure is told here already.
  result.then(undefined, () => undefined);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: the function returned a promise, but it must be done when it returns. Await outside of it.`,
  );
}

export function wrapForGrad(tensor: Tensor, level: number, requiresGrad: boolean): Tensor {
  enterContext();
  return wrapHandle(native.wrapForGrad(handleOf(tensor), level, requiresGrad));
}

/** Every tensor of a tree as the transform of that level sees it; other leaves stay. */
export function wrapTree<T>(tree: T, level: number): T {
  return mapTensors(tree, (tensor) => wrapForGrad(tensor, level, false));
}

export function unwrapTensor(tensor: Tensor, level: number): Tensor {
  enterContext();
  const handle = native.unwrapForGrad(handleOf(tensor), level);
  return handle === null ? tensor : wrapHandle(handle);
}

/** Every tensor of a tree as it is outside the transform of that level; other leaves stay. */
export function unwrapTree<T>(tree: T, level: number): T {
  return mapTensors(tree, (tensor) => unwrapTensor(tensor, level));
}

function mapTensors<T>(tree: T, change: (tensor: Tensor) => Tensor): T {
  const { leaves, spec } = flattenTree(tree);
  return unflattenTree(
    leaves.map((leaf) => (Tensor.isTensor(leaf) ? change(leaf) : leaf)),
    spec,
  ) as T;
}
