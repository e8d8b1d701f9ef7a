import { AiforgeError } from '../../errors.js';
import { boolean, either, iterable, number, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { native, type Handle, type Handles } from '../../native.js';
import { noGrad } from '../../autograd/modes.js';
import { enterContext } from '../../tensor/context/context.js';
import { scope } from '../../tensor/memory/scope.js';
import { handleOf, handlesOf, Tensor, wrapHandle } from '../../tensor/tensor.js';
import { zeros } from '../../tensor/generated/functions.js';
import { vectorNorm } from '../../tensor/generated/linalg.js';
import { tensorKind } from '../../tensor/kinds.js';

const operator = (name: string): number => native.registerOperators([name]);
const norms = operator('_foreach_norm.Scalar');
const stack = operator('stack');
const multiply = operator('_foreach_mul_.Tensor');
const clampMin = operator('_foreach_clamp_min_.Scalar');
const clampMax = operator('_foreach_clamp_max_.Scalar');

const tensorsKind = either(tensorKind, iterable<Iterable<Tensor>>('an array of them'));

const asList = (parameters: Tensor | Iterable<Tensor>): Tensor[] =>
  Tensor.isTensor(parameters) ? [parameters] : [...parameters];

// The gradients that there are.
function gradientsByKind(parameters: readonly Tensor[]): Handles[] {
  enterContext();
  return byKind(native.gradients(handlesOf(parameters)).filter((handle) => handle !== null));
}

// Tensors by device and dtype, as the operators on lists need them; by the order of groups the last bit of a norm differs.
function byKind(handles: readonly Handle[]): Handles[] {
  enterContext();
  const groups = native.groupsByKind(Float64Array.from(handles));
  return groups.map((places) => Float64Array.from(places, (place) => handles[place]!));
}

export interface ClipGradNormOptions {
  /** The p of the norm; Infinity for the largest element. Default: 2. */
  normType?: number;
  /** Throws when the norm is NaN or infinite. Default: false. */
  errorIfNonfinite?: boolean;
}

const clipGradNormOptions: Kinds<ClipGradNormOptions> = { normType: number, errorIfNonfinite: boolean };

function totalNorm(
  groups: readonly Handles[],
  { normType = 2, errorIfNonfinite = false }: ClipGradNormOptions,
): Tensor {
  if (groups.length === 0) return zeros([]);
  let each = groups.flatMap((group) => native.call(norms, group, normType) as Handle[]);
  if (groups.length > 1) {
    const { device } = wrapHandle(each[0]!);
    each = each.map((norm) => handleOf(wrapHandle(norm).to(device)));
  }
  const total = vectorNorm(wrapHandle(native.call(stack, Float64Array.from(each), 0) as Handle), normType);
  if (!errorIfNonfinite || Number.isFinite(total.item())) return total;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `The norm of the gradients is ${total.item()}; nothing was scaled. Set errorIfNonfinite: false to go on.`,
  );
}

function scaleTo(maxNorm: number, groups: readonly Handles[], total: Tensor): void {
  const scale = total.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
  for (const group of groups) native.call(multiply, group, handleOf(scale.to(native.device(group[0]!) as 'cpu')));
}

const getTotalNormTakes = signature({ tensors: tensorsKind }, clipGradNormOptions);

/**
 * The norm of several tensors, taken together. As `torch.nn.utils.get_total_norm`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * nn.utils.getTotalNorm([ones([3]), ones([6])]).item(); // 3
 */
export function getTotalNorm(tensors: Tensor | Iterable<Tensor>, options: ClipGradNormOptions = {}): Tensor {
  getTotalNormTakes.check('getTotalNorm', arguments);
  const list = asList(tensors);
  return scope(() => noGrad(() => totalNorm(byKind(Array.from(list, handleOf)), options)));
}

const clipGradsWithNormTakes = signature({ parameters: tensorsKind, maxNorm: number, totalNorm: tensorKind });

/**
 * Scales the gradients of all parameters, whose norm is `totalNorm`, so that it is at most `maxNorm`. As
 * `torch.nn.utils.clip_grads_with_norm_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([3, 4], { dtype: 'float32', requiresGrad: true });
 * x.square().sum().div(2).backward();
 * nn.utils.clipGradsWithNorm_(x, 2.5, nn.utils.getTotalNorm(x.grad));
 * x.grad.allclose(tensor([1.5, 2])); // true
 */
export function clipGradsWithNorm_(parameters: Tensor | Iterable<Tensor>, maxNorm: number, totalNorm: Tensor): void {
  clipGradsWithNormTakes.check('clipGradsWithNorm_', arguments);
  const list = asList(parameters);
  scope(() => noGrad(() => scaleTo(maxNorm, gradientsByKind(list), totalNorm)));
}

const clipGradNormTakes = signature({ parameters: tensorsKind, maxNorm: number }, clipGradNormOptions);

/**
 * Scales the gradients of all parameters so that their norm, taken together, is at most `maxNorm`; returns the norm that
 * they had. As `torch.nn.utils.clip_grad_norm_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT with `errorIfNonfinite`, when the norm is NaN or infinite.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([3, 4], { dtype: 'float32', requiresGrad: true });
 * x.square().sum().div(2).backward();
 * nn.utils.clipGradNorm_(x, 1).item(); // 5
 * x.grad.norm().item() < 1.001; // true
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor {
  clipGradNormTakes.check('clipGradNorm_', arguments);
  const list = asList(parameters);
  return scope(() =>
    noGrad(() => {
      const gradients = gradientsByKind(list);
      const total = totalNorm(gradients, options);
      scaleTo(maxNorm, gradients, total);
      return total;
    }),
  );
}

const clipGradValueTakes = signature({ parameters: tensorsKind, clipValue: number });

/**
 * Clamps every gradient element to [-clipValue, clipValue]. As `torch.nn.utils.clip_grad_value_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([0.5, -4], { requiresGrad: true });
 * x.square().sum().div(2).backward();
 * nn.utils.clipGradValue_(x, 1);
 * x.grad.tolist(); // [0.5, -1]
 */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  clipGradValueTakes.check('clipGradValue_', arguments);
  const list = asList(parameters);
  scope(() =>
    noGrad(() => {
      for (const group of gradientsByKind(list)) {
        native.call(clampMin, group, -clipValue);
        native.call(clampMax, group, clipValue);
      }
    }),
  );
}
