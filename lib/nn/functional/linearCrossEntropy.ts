import { objectKind, number, whole, orNull, type Kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { reductionNumber } from '../operators.js';
import type { CrossEntropyOptions } from './classificationLosses.js';
import { chunkedLinearCrossEntropy } from './linearCrossEntropyChunks.js';
import { LinearCrossEntropyOptions, type LinearCrossEntropySettings } from './linearCrossEntropyOptions.js';
import { refuse, sizes, reductionOptions } from './reductions.js';
import { warnOnce } from '../../warnOnce.js';
import { tensorKind } from '../../tensor/kinds.js';

export interface LinearCrossEntropyFunctionOptions extends Omit<CrossEntropyOptions, 'ignoreIndex'> {
  /** [classes, …]. Default: none. */
  linearBias?: Tensor | null;
  /** A class that counts for nothing; not for targets of probabilities. Default: -100. */
  ignoreIndex?: number | null;
  /** How the batch is cut so that its logits never exist at once. Default: it is not. */
  options?: LinearCrossEntropySettings | null;
}

const functionTakes = signature<LinearCrossEntropyFunctionOptions>(
  { input: tensorKind, linearWeight: tensorKind, target: tensorKind },
  {
    linearBias: orNull(tensorKind),
    weight: orNull(tensorKind),
    ignoreIndex: orNull(whole),
    ...reductionOptions,
    labelSmoothing: number,
    options: orNull(objectKind as Kind<LinearCrossEntropySettings>),
  },
);

const name = 'linearCrossEntropy';

function check(input: Tensor, weight: Tensor, bias: Tensor | null): void {
  const [classes, ...rest] = weight.shape;
  const features = rest.pop();
  if (input.dim() < 1 || input.dim() > 2) refuse(name, `expected an input of 1 or 2 dimensions, got ${sizes(input)}`);
  if (features === undefined) refuse(name, `expected a weight of 2 dimensions or more, got ${sizes(weight)}`);
  if (input.size(-1) !== features) {
    refuse(name, `the last dimensions of input and weight must be equal, got ${sizes(input)} and ${sizes(weight)}`);
  }
  if (bias !== null && String(bias.shape) !== String([classes, ...rest])) {
    refuse(name, `expected a bias of shape [${[classes, ...rest].join(', ')}], got ${sizes(bias)}`);
  }
  if (rest.length > 0 && input.dim() < 2) {
    const problem = `a weight ${sizes(weight)} of more than two dimensions needs an input [batch, features]`;
    refuse(name, `${problem}, got ${sizes(input)}`);
  }
}

/**
 * The cross entropy of `linear(input, linearWeight, linearBias)`: an input [features] or [batch, features], a weight
 * [classes, features] or [classes, …, features]. As `torch.nn.functional.linear_cross_entropy`.
 *
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * nn.functional.linearCrossEntropy(zeros([2, 3]), zeros([4, 3]), tensor([1, 3])).item(); // 1.3862943649291992
 */
export function linearCrossEntropy(
  input: Tensor,
  linearWeight: Tensor,
  target: Tensor,
  given: LinearCrossEntropyFunctionOptions = {},
): Tensor {
  functionTakes.check('linearCrossEntropy', arguments);
  const { linearBias = null, weight = null, reduction = 'mean', labelSmoothing = 0 } = given;
  const options = LinearCrossEntropyOptions.of(given.options ?? null);
  check(input, linearWeight, linearBias);
  const [classes, ...rest] = linearWeight.shape as [number, ...number[]];
  const features = rest.pop()!;
  const shape = [...input.shape.slice(0, -1), classes, ...rest];
  if (String(target.shape) === String(shape) && given.ignoreIndex != null) {
    refuse(name, 'ignoreIndex is not for a target of probabilities');
  }
  const ignoreIndex = given.ignoreIndex ?? -100;
  if (options !== null) {
    if (rest.length === 0 && labelSmoothing === 0 && target.dtype === 'int64') {
      const loss = { weight, reduction, ignoreIndex };
      return chunkedLinearCrossEntropy(input, linearWeight, target, linearBias, loss, options);
    }
    warnOnce(`${name}: options need a weight of 2 dimensions, no labelSmoothing and an int64 target: not used.`);
  }
  const flat = rest.length > 0;
  const rows = flat ? linearWeight.reshape([-1, features]) : linearWeight;
  const logits = operators.linear(input, rows, flat ? (linearBias?.reshape([-1]) ?? null) : linearBias).reshape(shape);
  return operators.crossEntropyLoss(logits, target, weight, reductionNumber(reduction), ignoreIndex, labelSmoothing);
}
